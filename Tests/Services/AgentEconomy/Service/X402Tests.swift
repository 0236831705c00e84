import AgentEconomyDomain
import Crypto
import Decisions
import EVM
import Events
import EventLog
import HTTP
import JSON
import Money
import Replay
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

/// x402 on the house's own network: sellers, payers and the facilitator, on real billing.
@Suite struct X402Tests {
    private struct Market: Sendable {
        let ann: EconomyHouse.Party
        let buyer: EconomyHouse.Party
        let seller: EconomyHouse.Party
        let wallet: Payer
        /// A model's answer for 100.
        let answers: String
        /// Work for 150.
        let work: String
        let mandate: String
    }

    /// An owner with 1,000, an agent that may spend 500 of it, and a seller with two services.
    private func withMarket(_ body: @Sendable (EconomyHouse, Market) async throws -> Void) async throws {
        try await withEconomy { economy in
            try await economy.publishModel()
            let ann = try await economy.person(1_000)
            let bob = try await economy.person(200)
            let buyer = try await economy.register("agent", owner: ann)
            let mandate = try await economy.grant(ann, buyer, 500)
            let wallet = try Payer()
            try await economy.link(wallet, buyer)
            func list(_ page: JSONValue, _ price: Int) async throws -> String {
                let listed = try await economy.ok(
                    "POST", "/v1/services", bob.token, ["page": page, "price": EconomyHouse.amount(price), "seconds": 600])
                return try #require(listed["service"]?.stringValue)
            }
            let answers = try await list(
                ["name": "Tides", "description": "High water, at once", "model": "acme/tides", "max_tokens": 10], 100)
            let work = try await list(["name": "Tide tables", "description": "A month of tides"], 150)
            try await body(
                economy,
                Market(ann: ann, buyer: buyer, seller: bob, wallet: wallet, answers: answers, work: work, mandate: mandate))
        }
    }

    @Test func anAnswerIsPaidOnceHoweverOftenItIsAskedFor() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers)
            let payment = try market.wallet.payment(terms)
            #expect(try await economy.facilitate("verify", payment, terms)["isValid"] == .bool(true))
            let (first, settlement) = try await economy.buy(market.answers, payment)
            #expect(first.status == 200, "\(first.json)")
            #expect(first.text("delivery", "answer") == "Twice.")
            #expect(settlement?["success"] == .bool(true) && settlement?["amount"] == "100", "\(String(describing: settlement))")
            #expect(settlement?["payer"] == .string(market.wallet.address.checksummed))
            let (again, same) = try await economy.buy(market.answers, payment)
            #expect(again.json == first.json && same == settlement)
            #expect(economy.asked.withLock { $0 } == 1, "the model was asked again")
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 900)
            // 100 came in, and the model's answer cost 10.
            try await eventually("the seller has it") {
                try await economy.figure("payer:\(market.seller.id)", "available") == 290
            }
            let nonce = try #require(payment["payload"]?["authorization"]?["nonce"]?.stringValue)
            let status = try await economy.ok(
                "GET", "/x402/payments?network=\(terms["network"]?.stringValue ?? "")&payer=\(market.wallet.address)&nonce=\(nonce)", nil)
            #expect(status["status"] == "SETTLED" && status["transaction"] == settlement?["transaction"])
            #expect(try await economy.facilitate("verify", payment, terms)["invalidReason"] == "invalid_exact_evm_nonce_already_used")
            let settledAgain = try await economy.facilitate("settle", payment, terms)
            #expect(settledAgain["errorReason"] == "invalid_exact_evm_nonce_already_used", "the same word bought something else")
            let mandate = try await economy.ok("GET", "/v1/mandates/" + market.mandate, market.buyer.token)
            #expect(mandate["free"]?["amount"] == "400", "\(mandate)")
            try await economy.audit()
        }
    }

    @Test func whatWasBoughtIsGivenAgainToWhoKnowsWhatWasAskedWhateverIsOfferedNow() async throws {
        try await withMarket { economy, market in
            let payment = try market.wallet.payment(try await economy.terms(market.answers))
            let (first, _) = try await economy.buy(market.answers, payment)
            #expect(first.status == 200, "\(first.json)")
            // Whoever reads the log has neither the signature nor the question.
            let opened = try #require(try await economy.all(PaymentOpened.self).first)
            #expect(opened.word.signature == nil && opened.signature != nil && opened.brief != nil)
            let logged = try await economy.events().map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
            let signature = try #require(payment["payload"]?["signature"]?.stringValue)
            #expect(!logged.contains(String(signature.dropFirst(2))))
            let (stolen, why) = try await economy.buy(market.answers, payment, brief: "What was it?")
            #expect(stolen.status == 402 && why?["errorReason"] == "invalid_exact_evm_nonce_already_used", "\(stolen.json)")
            // A reply that was lost is given again, though nothing is offered any more.
            let gone = try await economy.call("DELETE", "/v1/services/" + market.answers, market.seller.token)
            #expect((200..<300).contains(gone.status))
            #expect(try await economy.buy(market.answers, payment).answer.json == first.json)
            #expect(economy.asked.withLock { $0 } == 1)
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 900)
            try await economy.audit()
        }
    }

    @Test func nothingIsMadeForWhoCannotPayIt() async throws {
        try await withMarket { economy, market in
            let carl = try await economy.person(100)
            let wallet = try Payer()
            try await economy.link(wallet, carl)
            let terms = try await economy.terms(market.answers)
            // Money for one answer, and four are signed for at once, one of them twice.
            var payments = try (0..<4).map { _ in try wallet.payment(terms) }
            payments.append(payments[0])
            let statuses = await withTaskGroup(of: Int.self) { group in
                for payment in payments {
                    group.addTask { (try? await economy.buy(market.answers, payment).answer.status) ?? 0 }
                }
                var statuses: [Int] = []
                for await status in group { statuses.append(status) }
                return statuses
            }
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 402 } && statuses.contains(200), "\(statuses)")
            #expect(economy.asked.withLock { $0 } == 1)
            #expect(try await economy.figure("payer:\(carl.id)", "balance") == 0)
            #expect(try await economy.all(PaymentSettled.self).count == 1)
            try await economy.audit()
        }
    }

    @Test func aMandatesModelsAndApprovalsHoldForWhatIsBought() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers)
            let narrow = try await economy.register("agent", owner: market.ann)
            _ = try await economy.grant(market.ann, narrow, 500, more: [("models", ["acme/none"])])
            let wallet = try Payer()
            try await economy.link(wallet, narrow)
            let refused = try await economy.buy(market.answers, try wallet.payment(terms))
            #expect(refused.settlement?["errorReason"] == "mandate_refuses" && economy.asked.withLock { $0 } == 0)

            let careful = try await economy.register("agent", owner: market.ann)
            let mandate = try await economy.grant(market.ann, careful, 500, more: [("approval_above", EconomyHouse.amount(50))])
            let other = try Payer()
            try await economy.link(other, careful)
            #expect(
                try await economy.buy(market.answers, try other.payment(terms)).settlement?["errorReason"] == "approval_needed")
            let request = try await economy.ok(
                "POST", "/v1/mandates/\(mandate)/approvals", careful.token,
                [
                    "amount": EconomyHouse.amount(100), "purpose": "payment", "payee": .string(market.seller.id),
                    "service": .string(market.answers),
                    "model": "acme/tides",
                ])
            let approval = try #require(request["approval"]?.stringValue)
            _ = try await economy.ok(
                "POST", "/v1/mandates/\(mandate)/approvals/\(approval)", market.ann.token, ["granted": .bool(true), "seconds": 600])
            let members = try #require(try other.payment(terms).objectValue).members.map { ($0.key, $0.value) }
            let approved = JSONValue.object(
                JSONObject(members + [("extensions", ["openledger": ["approval": .string(approval)]])]))
            let (answer, _) = try await economy.buy(market.answers, approved)
            #expect(answer.status == 200, "\(answer.json)")
            try await economy.audit()
        }
    }

    @Test func whatWasSignedForIsPaidWhateverItCostsByThen() async throws {
        try await withMarket { economy, market in
            let payment = try market.wallet.payment(try await economy.terms(market.work))
            let (answer, _) = try await economy.buy(market.work, payment, brief: "June")
            let task = try #require(answer.text("task", "task"), "\(answer.json)")
            _ = try await economy.ok(
                "PUT", "/v1/services/" + market.work, market.seller.token,
                [
                    "page": ["name": "Tide tables", "description": "A month of tides"], "price": EconomyHouse.amount(400),
                    "seconds": 600,
                ])
            // The old payment is known, and a new one at the old price is refused before anything is reserved.
            #expect(try await economy.buy(market.work, payment, brief: "June").answer.text("task", "task") == task)
            let dear = try await economy.buy(market.work, try market.wallet.payment(try await economy.terms(market.work)))
            #expect(dear.settlement?["errorReason"] == "mandate_exceeded", "\(dear.answer.json)")
            #expect(try await economy.all(TaskFunded.self).map(\.amount.units) == [150])
        }
    }

    @Test func uptoTakesWhatTheAnswerCame() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers, "upto")
            let payment = try market.wallet.payment(terms)
            let (answer, settlement) = try await economy.buy(market.answers, payment)
            // One of ten tokens came.
            #expect(answer.status == 200 && settlement?["amount"] == "10", "\(answer.json) \(String(describing: settlement))")
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 990)
            let (again, _) = try await economy.buy(market.answers, payment)
            #expect(again.json == answer.json)
            // A seller elsewhere says how much by the terms that it settles with.
            let permit = try market.wallet.payment(terms)
            var less = try #require(terms.objectValue)
            less = JSONObject(less.members.map { ($0.key, $0.key == "amount" ? "37" : $0.value) })
            let settled = try await economy.facilitate("settle", permit, .object(less))
            #expect(settled["success"] == .bool(true) && settled["amount"] == "37", "\(settled)")
            #expect(try await economy.facilitate("settle", permit, .object(less)) == settled)
            let more = JSONObject(less.members.map { ($0.key, $0.key == "amount" ? "101" : $0.value) })
            let refused = try await economy.facilitate("settle", try market.wallet.payment(terms), .object(more))
            #expect(refused["errorReason"] == "invalid_upto_evm_payload_settlement_exceeds_amount")
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 953)
            try await economy.audit()
        }
    }

    /// What is sold at a fixed price is sold whole or not at all; where a price is for the longest answer, what came is paid by its part.
    @Test func anAnswerThatBrokeOffIsNotSoldAtItsWholePrice() async throws {
        try await withMarket { economy, market in
            economy.begins.withLock { $0 = true }
            economy.breaks.withLock { $0 = true }
            let terms = try await economy.terms(market.answers)
            let payment = try market.wallet.payment(terms)
            let (answer, settlement) = try await economy.buy(market.answers, payment)
            #expect(answer.status == 402 && settlement?["errorReason"] == "answer_cut", "\(answer.json)")
            let inference = try #require(try await economy.all(InferenceCompleted.self).last)
            #expect(inference.cut == true && inference.outputTokens == 1)
            // The same again is told the same, and nothing is made for it anew.
            let (again, same) = try await economy.buy(market.answers, payment)
            #expect(again.status == 402 && same?["errorReason"] == "answer_cut" && economy.asked.withLock { $0 } == 1)
            let nonce = try #require(payment["payload"]?["authorization"]?["nonce"]?.stringValue)
            let status = try await economy.ok(
                "GET", "/x402/payments?network=\(terms["network"]?.stringValue ?? "")&payer=\(market.wallet.address)&nonce=\(nonce)", nil)
            #expect(status["status"] == "FAILED" && status["reason"] == "answer_cut", "\(status)")
            try await eventually("the money is free") { try await economy.figure("payer:\(market.ann.id)", "available") == 1_000 }
            let mandate = try await economy.ok("GET", "/v1/mandates/" + market.mandate, market.buyer.token)
            #expect(mandate["free"]?["amount"] == "500", "\(mandate)")
            #expect(try await economy.all(PaymentDelivered.self).isEmpty)

            let upto = try await economy.buy(market.answers, try market.wallet.payment(try await economy.terms(market.answers, "upto")))
            // One of ten tokens came.
            #expect(upto.answer.status == 200 && upto.settlement?["amount"] == "10", "\(upto.answer.json)")
            #expect(upto.answer.text("delivery", "answer") == "Once. " && upto.answer.json["delivery"]?["cut"] == true)
            #expect(try await economy.figure("payer:\(market.ann.id)", "balance") == 990)
            try await economy.audit()

            // Nobody ends a payment so whose answer came to its end, and nobody sells one that did not.
            let logged = try await economy.events()
            func faults(_ type: String, _ cut: Bool?, nth: Int) async throws -> [ReplayFault] {
                var facts = try logged.map { try Fact($0) }
                let places = facts.indices.filter { facts[$0].type == InferenceCompleted.type }
                var data = try InferenceCompleted(facts[places[nth]].data.object())
                data.cut = cut
                facts[places[nth]] = try EconomyHouse.altered(logged[places[nth]], data)
                return try await EconomyHouse.replay(facts).faults.filter { $0.type == type }
            }
            #expect(try await !faults(PaymentFailed.type, nil, nth: 0).isEmpty)
            #expect(try await faults(PaymentDelivered.type, true, nth: 1).isEmpty)
            economy.begins.withLock { $0 = false }
            economy.breaks.withLock { $0 = false }
            #expect(try await economy.buy(market.answers, try market.wallet.payment(terms)).answer.status == 200)
            let whole = try await economy.events()
            var facts = try whole.map { try Fact($0) }
            let last = try #require(facts.lastIndex { $0.type == InferenceCompleted.type })
            var data = try InferenceCompleted(facts[last].data.object())
            data.cut = true
            facts[last] = try EconomyHouse.altered(whole[last], data)
            let sold = try await EconomyHouse.replay(facts).faults
            #expect(sold.contains { $0.type == PaymentDelivered.type }, "\(sold)")
        }
    }

    /// A buyer who loses the connection is given what it bought, whole, when it asks again.
    @Test func whatWasBoughtIsMadeToItsEndThoughItsBuyerHasLeft() async throws {
        try await withMarket { economy, market in
            economy.begins.withLock { $0 = true }
            economy.waits.withLock { $0 = true }
            let payment = try market.wallet.payment(try await economy.terms(market.answers))
            let buying = Task { try await economy.buy(market.answers, payment).answer.status }
            try await eventually("it is being made") { economy.asked.withLock { $0 } == 1 }
            buying.cancel()
            economy.waits.withLock { $0 = false }
            _ = await buying.result
            try await eventually("it is paid") { try await economy.all(PaymentSettled.self).count == 1 }
            let (answer, settlement) = try await economy.buy(market.answers, payment)
            #expect(answer.text("delivery", "answer") == "Once. Twice." && settlement?["amount"] == "100", "\(answer.json)")
            #expect(answer.json["delivery"]?["cut"] == nil && economy.asked.withLock { $0 } == 1)
            #expect(try await economy.figure("payer:\(market.ann.id)", "balance") == 900)
            try await economy.audit()
        }
    }

    @Test func theWholePriceIsForTheWholeAnswer() throws {
        let price = try Amount(100, Asset("USDC/6"))
        func taken(_ scheme: String, _ tokens: Int, cut: Bool = false, most: Int = 10) -> Int128? {
            PaymentRules.price(of: price, scheme: scheme, tokens: tokens, most: most, isCut: cut)?.units
        }
        #expect(taken("exact", 1) == 100 && taken("exact", 10, cut: true) == nil)
        #expect(taken("upto", 1, cut: true) == 10 && taken("upto", 10) == 100 && taken("upto", 99) == 100 && taken("upto", 0) == 1)
        #expect(taken("upto", 1, most: 3) == 34 && taken("upto", 5, most: 0) == 100)
        let large = Amount(.max, price.asset)
        #expect(PaymentRules.price(of: large, scheme: "upto", tokens: 8_192, most: 8_192, isCut: false) == large)
    }

    @Test func workIsHiredByAPaymentIntoItsEscrow() async throws {
        try await withMarket { economy, market in
            let payment = try market.wallet.payment(try await economy.terms(market.work))
            let (answer, settlement) = try await economy.buy(market.work, payment, brief: "June")
            let task = try #require(answer.text("task", "task"), "\(answer.json)")
            #expect(answer.text("task", "phase") == "funded" && settlement?["transaction"] == .string(task))
            let (again, _) = try await economy.buy(market.work, payment, brief: "June")
            #expect(again.text("task", "task") == task)
            #expect(try await economy.all(TaskFunded.self).count == 1)
            try await economy.submit(market.seller, task)
            _ = try await economy.complete(market.buyer, task)
            try await eventually("it is paid") { try await economy.figure("payer:\(market.seller.id)", "pending") == 150 }
            try await economy.audit()
        }
    }

    @Test func whatIsWrongWithAPaymentHasItsOwnCode() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers)
            let other = try #require(EVMAddress("0x" + String(repeating: "7", count: 40)))
            func refusal(_ changes: Payer.Changes, by payer: Payer? = nil) async throws -> String? {
                let payment = try (payer ?? market.wallet).payment(terms, changes)
                let (answer, settlement) = try await economy.buy(market.answers, payment)
                #expect(answer.status == 402, "\(answer.json)")
                let reason = settlement?["errorReason"]?.stringValue
                let verified = try await economy.facilitate("verify", payment, terms)
                #expect(verified["isValid"] == .bool(false) && verified["invalidReason"]?.stringValue == reason, "\(verified)")
                return reason
            }
            #expect(try await refusal(.init(validBefore: 1_000)) == "invalid_exact_evm_payload_authorization_valid_before")
            #expect(try await refusal(.init(validAfter: 3_999_999_999)) == "invalid_exact_evm_payload_authorization_valid_after")
            #expect(try await refusal(.init(value: "99")) == "invalid_exact_evm_payload_authorization_value_mismatch")
            #expect(try await refusal(.init(to: other)) == "invalid_exact_evm_payload_recipient_mismatch")
            #expect(try await refusal(.init(chain: 84_532)) == "invalid_exact_evm_payload_signature")
            let tampered = Payer.Changes(tamper: { object in
                JSONObject(object.members.map { ($0.key, $0.key == "validBefore" ? "4000000001" : $0.value) })
            })
            #expect(try await refusal(tampered) == "invalid_exact_evm_payload_signature")
            #expect(try await refusal(.init(), by: try Payer()) == "unknown_payer")
            // Another chain's terms, and terms that were never offered.
            let foreign = JSONObject(try #require(terms.objectValue).members.map { ($0.key, $0.key == "network" ? "eip155:1" : $0.value) })
            let elsewhere = try market.wallet.payment(.object(foreign))
            #expect(try await economy.facilitate("verify", elsewhere, .object(foreign))["invalidReason"] == "network_mismatch")
            #expect(try await economy.buy(market.answers, elsewhere).settlement?["errorReason"] == "invalid_payment_requirements")
            // What cannot be read is 400.
            for wrong in ["!", Base64.encode(Array("{}".utf8)), Base64.encode(Array(#"{"x402Version":3,"payload":{}}"#.utf8))] {
                let answer = try await economy.call(
                    "POST", "/x402/services/" + market.answers, nil, ["brief": "Tides?"], headers: ["PAYMENT-SIGNATURE": wrong])
                #expect(answer.status == 400 && answer.code == "bad-header", "\(answer.json)")
            }
            #expect(try await economy.all(PaymentOpened.self).isEmpty && economy.asked.withLock { $0 } == 0)
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 1_000)
        }
    }

    @Test func aNameForAPaymentStandsForOneOnly() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers)
            let named = Payer.Changes(identifier: "pay_0123456789abcdef")
            let payment = try market.wallet.payment(terms, named)
            let (first, _) = try await economy.buy(market.answers, payment)
            #expect(first.status == 200)
            #expect(try await economy.buy(market.answers, payment).answer.json == first.json)
            let (other, _) = try await economy.buy(market.answers, try market.wallet.payment(terms, named))
            #expect(other.status == 409 && other.code == "conflict", "\(other.json)")
            let (short, _) = try await economy.buy(market.answers, try market.wallet.payment(terms, .init(identifier: "short")))
            #expect(short.status == 400)
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 900)
        }
    }

    @Test func mandatesAndBalancesBoundWhatIsSigned() async throws {
        try await withMarket { economy, market in
            let terms = try await economy.terms(market.answers)
            for _ in 0..<5 { #expect(try await economy.buy(market.answers, try market.wallet.payment(terms)).answer.status == 200) }
            let over = try await economy.buy(market.answers, try market.wallet.payment(terms))
            #expect(
                over.answer.status == 402 && over.settlement?["errorReason"] == "mandate_exceeded", "\(String(describing: over.settlement))"
            )
            // A person pays with what it has.
            let carl = try await economy.person(50)
            let wallet = try Payer()
            try await economy.link(wallet, carl)
            let poor = try await economy.buy(market.answers, try wallet.payment(terms))
            #expect(poor.settlement?["errorReason"] == "insufficient_funds")
            // An address that was given up is nobody's.
            let gone = try await economy.call("DELETE", "/v1/wallets/\(wallet.address)", carl.token)
            #expect(gone.status == 204)
            #expect(try await economy.buy(market.answers, try wallet.payment(terms)).settlement?["errorReason"] == "unknown_payer")
            // Whose mandate was revoked pays nothing more.
            _ = try await economy.ok("POST", "/v1/mandates/\(market.mandate)/revocation", market.ann.token)
            let ended = try await economy.buy(market.answers, try market.wallet.payment(terms))
            #expect(ended.settlement?["errorReason"] == "mandate_refuses")
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 500)
            try await economy.audit()
        }
    }

    @Test func whatIsStillBeingMadeIsNotPaidOnceItsMandateIsRevoked() async throws {
        try await withMarket { economy, market in
            economy.waits.withLock { $0 = true }
            let terms = try await economy.terms(market.answers)
            let payment = try market.wallet.payment(terms)
            async let buying = economy.buy(market.answers, payment)
            try await eventually("it is being made") { economy.asked.withLock { $0 } == 1 }
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 900)
            _ = try await economy.ok("POST", "/v1/mandates/\(market.mandate)/revocation", market.ann.token)
            try await eventually("the money is free, before anything is delivered") {
                try await economy.figure("payer:\(market.ann.id)", "available") == 1_000
            }
            let nonce = try #require(payment["payload"]?["authorization"]?["nonce"]?.stringValue)
            let status = try await economy.ok(
                "GET", "/x402/payments?network=\(terms["network"]?.stringValue ?? "")&payer=\(market.wallet.address)&nonce=\(nonce)", nil)
            #expect(status["status"] == "FAILED" && status["reason"] == "mandate_ended", "\(status)")
            economy.waits.withLock { $0 = false }
            let (answer, settlement) = try await buying
            #expect(answer.status == 402 && settlement?["errorReason"] == "mandate_ended", "\(answer.json)")
            #expect(try await economy.figure("payer:\(market.ann.id)", "balance") == 1_000)
            #expect(try await economy.all(PaymentDelivered.self).isEmpty)
            try await economy.audit()
            // Without the revocation nothing says that it may be ended so.
            let facts = try await economy.events().map { try Fact($0) }.filter { $0.type != MandateRevoked.type }
            let faults = try await EconomyHouse.replay(facts).faults
            #expect(faults.contains { $0.type == PaymentFailed.type }, "\(faults)")
        }
    }

    @Test func whatIsRefusedForTheWorkItselfIsNoRefusalOfTheMandate() async throws {
        try await withMarket { economy, market in
            // The seller's own agent buys of him with ann's money: it would judge its own house's work.
            let accomplice = try await economy.register("agent", owner: market.seller)
            _ = try await economy.grant(market.ann, accomplice, 500)
            let wallet = try Payer()
            try await economy.link(wallet, accomplice)
            let terms = try await economy.terms(market.work)
            let payment = try wallet.payment(terms)
            let (answer, _) = try await economy.buy(market.work, payment, brief: "June")
            #expect(answer.status == 422 && answer.code == "invalid-value", "\(answer.json)")
            let failed = try #require(try await economy.all(PaymentFailed.self).first)
            #expect(failed.reason == "not_delivered")
            #expect(try await economy.figure("payer:\(market.ann.id)", "available") == 1_000)
            try await economy.audit()
        }
    }

    @Test func anAddressIsLinkedByItsKeyOnly() async throws {
        try await withEconomy { economy in
            let ann = try await economy.person(0)
            let bob = try await economy.person(0)
            let wallet = try Payer()
            let text = WalletRules.message(principal: ann.id, address: wallet.address.description)
            let signature = "0x" + Hex.encode(try wallet.key.sign(PersonalMessage.digest(text)).bytes)
            let body: JSONValue = ["address": .string(wallet.address.checksummed), "signature": .string(signature)]
            #expect(try await economy.call("POST", "/v1/wallets", bob.token, body).code == "invalid-value")
            #expect(try await economy.call("POST", "/v1/wallets", ann.token, body).status == 200)
            try await economy.link(wallet, ann)
            #expect(try await economy.all(WalletLinked.self).count == 1)
            let taken = try await economy.call("DELETE", "/v1/wallets/\(wallet.address)", bob.token)
            #expect(taken.status == 404)
            let listed = try await economy.ok("GET", "/v1/wallets", ann.token)
            #expect(listed["wallets"] == [.string(wallet.address.checksummed)])
            try await economy.audit()
        }
    }

    @Test func whatIsSoldIsFound() async throws {
        try await withMarket { economy, market in
            let found = try await economy.ok("GET", "/x402/discovery/resources?type=http", nil)
            #expect(found["pagination"]?["total"] == 2)
            let urls = (found["items"]?.arrayValue ?? []).compactMap { $0["resource"]?.stringValue }
            #expect(Set(urls.map { $0.split(separator: "/").last.map(String.init) }) == [market.answers, market.work])
            #expect(try await economy.ok("GET", "/x402/discovery/resources?scheme=upto", nil)["pagination"]?["total"] == 1)
            #expect(try await economy.ok("GET", "/x402/discovery/resources?type=mcp", nil)["pagination"]?["total"] == 0)
            let kinds = try await economy.ok("GET", "/x402/supported", nil)["kinds"]?.arrayValue ?? []
            #expect(kinds.count == 3 && kinds.allSatisfy { $0["network"]?.stringValue?.hasPrefix("eip155:") == true })
            #expect(try await economy.call("GET", "/x402/payments/pm_none", nil).status == 404)
        }
    }
}
