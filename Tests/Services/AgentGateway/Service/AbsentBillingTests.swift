import AgentGatewayDomain
import Crypto
import HTTPClient
import Events
import JSON
import ServiceTestSupport
import TestSupport
import Testing

/// Billing is away for a moment, or for long: what is held is one hold or none, and nobody pays for nothing.
@Suite struct AbsentBillingTests {
    @Test func aHoldWhoseAnswerWasLostIsAskedForAgainByItsKey() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["Yes"])
            gateway.standIns.change {
                $0.unclearHolds = 1
                $0.holdsInFlight = 1
            }
            let answer = try await gateway.ask(try gateway.person())
            #expect(answer.status == 200)
            #expect(gateway.standIns.holdKeys.count == 3 && Set(gateway.standIns.holdKeys).count == 1)
            #expect(gateway.standIns.holds.count == 1 && gateway.standIns.released.isEmpty)
            let recorded = try await gateway.completed()
            #expect(recorded.map(\.hold) == ["hd_1"])
        }
    }

    @Test func aHoldOfWhichNobodyHearsIsFoundAndGivenBack() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["Yes"])
            gateway.standIns.change { $0.unclearHolds = 5 }
            let answer = try await gateway.ask(try gateway.person())
            #expect(answer.status == 503 && answer.json["error"]?["type"] == "server_error")
            #expect(gateway.standIns.asked.isEmpty)
            try await eventually("the hold is given back") { gateway.standIns.released == ["hd_1"] }
            #expect(Set(gateway.standIns.holdKeys).count == 1 && gateway.standIns.holds.count == 1)
        }
    }

    @Test func aHoldIsGivenBackWhenBillingIsThereAgain() async throws {
        try await withGateway { gateway in
            gateway.standIns.change {
                $0.refusal = 500
                $0.unclearReleases = 2
            }
            let answer = try await gateway.ask(try gateway.person())
            #expect(answer.status == 502)
            try await eventually("the hold is given back") { gateway.standIns.released == ["hd_1"] }
        }
    }
}
