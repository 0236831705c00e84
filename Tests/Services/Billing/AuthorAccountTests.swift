import BillingDomain
import Events
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing

@Suite("Accounts of authors whom others named")
struct AuthorAccountTests {
    @Test("what an author earned becomes payable, and is seen and taken out by who claimed the account, and by nobody else")
    func claimed() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            try await desk.open("contributor:author_1", deposit: 5_000)
            let pia = try desk.house.token("pia"), mallory = try desk.house.token("mallory")
            func look(_ token: String) async throws -> Int {
                try await desk.raw("GET", "/v1/accounts/contributor:author_1", nil, key: nil, token: token).status
            }
            func payout(_ token: String, _ key: String) async throws -> Int {
                let body: JSONValue = [
                    "amount": ["asset": "USDC/6", "amount": "1000"], "rail": "bank",
                    "destination": .string("sha256:" + String(repeating: "ab", count: 32)),
                ]
                return try await desk.raw("POST", "/v1/accounts/contributor:author_1/payouts", body, key: key, token: token).status
            }
            func wallet(_ token: String, _ key: String) async throws -> (status: Int, body: [UInt8]) {
                let body: JSONValue = ["owner": "author_1", "address": .string("0x" + String(repeating: "1a", count: 20))]
                return try await desk.raw("POST", "/v1/accounts/wallets", body, key: key, token: token)
            }
            #expect(try await look(pia) == 403)
            #expect(try await payout(pia, "early") == 403)
            #expect(try await wallet(pia, "early-wallet").status == 403)
            try await desk.tell(
                ContributorClaimed(claim: "cl_1", author: "author_1", principal: "pia", datanet: "dn_1", proof: "mail"), as: .ingest,
                stream: "contributor/author_1")
            try await eventually("billing has learnt it") { try await look(pia) == 200 }
            #expect(try await look(mallory) == 403)
            #expect(try await payout(mallory, "stolen") == 403)
            #expect(try await payout(pia, "mine") == 200)
            #expect(try await wallet(mallory, "stolen-wallet").status == 403)
            let set = try await wallet(pia, "wallet")
            #expect(set.status == 200)
            let events = try JSON.parse(set.body)["events"]?.arrayValue
            #expect(events?.first?["data"]?["recovered"]?.boolValue == false, "it is theirs, and was not recovered for them")
        }
    }

    @Test("a claim verifies the author's account")
    func verified() throws {
        var book = try House()
        try book.tell(ContributorClaimed(claim: "cl_1", author: "author_1", principal: "pia", datanet: "dn_1", proof: "mail"))
        #expect(book.state.disposes("pia", of: "author_1") && !book.state.disposes("eve", of: "author_1"))
        #expect(book.state.disposes("eve", of: "eve"))
    }
}
