import Crypto
import Events
import JSON
import Money
import Testing

/// The exact bytes of the economy's events: what is on the log stays readable.
@Suite struct EconomyPayloadTests {
    private func text(_ data: some EventData) throws -> String { String(decoding: try JSON.canonical(data.json), as: UTF8.self) }

    private func amount(_ units: Int) throws -> Amount { Amount(Int128(units), try Asset("USDC/6")) }

    @Test func aMandateReadsAsItIsWritten() throws {
        let time = try #require(Timestamp("2027-01-01T00:00:00.000000Z"))
        let granted = MandateGranted(
            mandate: "md_1", root: "md_1", grantor: "ann", agent: "bot", payer: "ann",
            terms: MandateTerms(
                budget: try amount(100), period: "day", perPayment: try amount(5), models: [],
                recurrence: MandateRecurrence(every: "hour", most: 3), expires: time, carved: false))
        #expect(
            try text(granted)
                == #"{"agent":"bot","grantor":"ann","mandate":"md_1","payer":"ann","root":"md_1","terms":{"budget":{"amount":"100","asset":"USDC/6"},"carved":false,"expires":"2027-01-01T00:00:00.000000Z","models":[],"per_payment":{"amount":"5","asset":"USDC/6"},"period":"day","recurrence":{"every":"hour","most":3}}}"#
        )
        #expect(try MandateGranted(granted.json.object()) == granted)
        let authorized = MandateAuthorized(
            authorization: "au_1", mandate: "md_1", root: "md_1", agent: "bot", payer: "ann", amount: try amount(5), purpose: "inference",
            payee: "acme", model: "acme/defi", at: time, expires: time)
        #expect(
            try text(authorized)
                == #"{"agent":"bot","amount":{"amount":"5","asset":"USDC/6"},"at":"2027-01-01T00:00:00.000000Z","authorization":"au_1","expires":"2027-01-01T00:00:00.000000Z","mandate":"md_1","model":"acme/defi","payee":"acme","payer":"ann","purpose":"inference","root":"md_1"}"#
        )
        #expect(try MandateAuthorized(authorized.json.object()) == authorized)
        var funding = authorized
        funding.task = "tk_1"
        #expect(try text(funding).contains(#""task":"tk_1""#) && MandateAuthorized(funding.json.object()) == funding)
        let terms = MandateTerms(
            budget: try amount(100), period: "once", minimum: try amount(2), purposes: ["task"], tasks: ["tk_1"],
            recurrence: MandateRecurrence(every: "quarter", most: 1, total: 4), notBefore: time, expires: time, carved: true)
        #expect(
            try String(decoding: JSON.canonical(terms.json), as: UTF8.self)
                == #"{"budget":{"amount":"100","asset":"USDC/6"},"carved":true,"expires":"2027-01-01T00:00:00.000000Z","minimum":{"amount":"2","asset":"USDC/6"},"not_before":"2027-01-01T00:00:00.000000Z","period":"once","purposes":["task"],"recurrence":{"every":"quarter","most":1,"total":4},"tasks":["tk_1"]}"#
        )
        #expect(try MandateTerms(terms.json.object()) == terms)
        #expect(
            try text(MandateRevoked(mandate: "m", root: "r", reason: "revoked"))
                == #"{"mandate":"m","reason":"revoked","root":"r"}"#)
    }

    @Test func aTaskReadsAsItIsWritten() throws {
        let hash = SHA256.hash(utf8: "work")
        let completed = TaskCompleted(
            task: "tk_1", root: "tk_1", milestone: 0, by: "ann", client: "ann", provider: "bot", payer: "ann", amount: try amount(9),
            payouts: [TaskPayout(account: AccountID(trusted: "payer:bot"), amount: try amount(9))], hold: "hd_1", isOver: true, frees: true,
            spent: try amount(9), signature: TaskSignature(key: "did:key:z", signature: "AA"))
        #expect(
            try text(completed)
                == #"{"amount":{"amount":"9","asset":"USDC/6"},"by":"ann","client":"ann","frees":true,"hold":"hd_1","is_over":true,"milestone":0,"payer":"ann","payouts":[{"account":"payer:bot","amount":{"amount":"9","asset":"USDC/6"}}],"provider":"bot","root":"tk_1","signature":{"key":"did:key:z","signature":"AA"},"spent":{"amount":"9","asset":"USDC/6"},"task":"tk_1"}"#
        )
        #expect(try TaskCompleted(completed.json.object()) == completed)
        let submitted = TaskSubmitted(
            task: "tk_1", root: "tk_1", milestone: 1, artefacts: [TaskArtefact(hash: hash, bytes: 4, media: "text/plain")])
        #expect(
            try text(submitted)
                == #"{"artefacts":[{"bytes":4,"hash":"\#(hash.prefixed)","media":"text/plain"}],"milestone":1,"root":"tk_1","task":"tk_1"}"#
        )
        #expect(try TaskSubmitted(submitted.json.object()) == submitted)
        let listed = ServiceListed(service: "sv_1", provider: "bot", page: hash, price: try amount(1), seconds: 60, version: 1)
        #expect(try ServiceListed(listed.json.object()) == listed)
    }

    @Test func aPaymentReadsAsItIsWritten() throws {
        let time = try #require(Timestamp("2027-01-01T00:00:00.000000Z"))
        var word = PaymentWord(
            scheme: "exact", chain: 84_532, token: "0xt", name: "USDC", version: "2", from: "0xa", to: "0xb", value: "5", validAfter: "0",
            validBefore: "9", nonce: "0x7")
        let opened = PaymentOpened(
            payment: "pm_1", means: "transfer", word: word, payer: "bot", source: "ann", payee: "bob", amount: try amount(5),
            service: "sv_1", signature: SHA256.hash(utf8: "signature"), brief: SHA256.hash(utf8: "brief"), hold: "hd_1",
            identifier: "pay_1", authorization: "au_1", at: time)
        #expect(
            try text(opened)
                == #"{"amount":{"amount":"5","asset":"USDC/6"},"at":"2027-01-01T00:00:00.000000Z","authorization":"au_1","brief":"\#(SHA256.hash(utf8: "brief").prefixed)","hold":"hd_1","identifier":"pay_1","means":"transfer","payee":"bob","payer":"bot","payment":"pm_1","service":"sv_1","signature":"\#(SHA256.hash(utf8: "signature").prefixed)","source":"ann","word":{"chain":84532,"from":"0xa","name":"USDC","nonce":"0x7","scheme":"exact","to":"0xb","token":"0xt","valid_after":"0","valid_before":"9","value":"5","version":"2"}}"#
        )
        #expect(try PaymentOpened(opened.json.object()) == opened)
        let delivered = PaymentDelivered(payment: "pm_1", delivery: SHA256.hash(utf8: "answer"), amount: try amount(4))
        #expect(try PaymentDelivered(delivered.json.object()) == delivered)
        // Those of before had the signature with them.
        word.signature = "0xs"
        #expect(try PaymentWord(word.json.object()) == word && word.unsigned.json == opened.word.json)
        let settled = PaymentSettled(payment: "pm_1", amount: try amount(5), transaction: "tr_1")
        #expect(try text(settled) == #"{"amount":{"amount":"5","asset":"USDC/6"},"payment":"pm_1","transaction":"tr_1"}"#)
        #expect(try PaymentSettled(settled.json.object()) == settled)
        #expect(try text(PaymentFailed(payment: "pm_1", reason: "no")) == #"{"payment":"pm_1","reason":"no"}"#)
        #expect(try text(PaymentSent(payment: "pm_1", transaction: "0x1")) == #"{"payment":"pm_1","transaction":"0x1"}"#)
        #expect(
            try text(WalletLinked(principal: "bot", address: "0xa", signature: "0xs"))
                == #"{"address":"0xa","principal":"bot","signature":"0xs"}"#)
        #expect(try text(WalletUnlinked(principal: "bot", address: "0xa")) == #"{"address":"0xa","principal":"bot"}"#)
    }

    @Test func aHoldSaysWhatItIsForWhereItWasTold() throws {
        let old = try JSON.parse(
            #"{"account":"payer:ann","amount":{"amount":"1","asset":"USDC/6"},"expires":"2027-01-01T00:00:00.000000Z","id":"hd_1"}"#)
        #expect(try HoldPlaced(old.object()).reference == nil)
        #expect(try JSON.canonical(HoldPlaced(old.object()).json) == JSON.canonical(old))
    }
}
