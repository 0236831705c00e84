import Events
import HTTP
import JSON
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing
import Web

@Suite struct FineTuningCancelTests {
    /// Training, which answers an order when it is let.
    private final class Training: Sendable {
        struct State {
            var isLet = false
            var ordered = 0
            var cancelled: [String] = []
        }

        let state = Mutex(State())

        var mount: Mount {
            Mount(
                "stand-in-training",
                routes: [
                    Route(
                        .get, "/v1/base-models", operation: "standInBases", summary: "A stand-in.", access: .authenticated,
                        replies: [.json(200, "Bases.", .any)]
                    ) { _ in .json(["items": [["model": "tiny"]]]) },
                    Route(
                        .post, "/v1/training-jobs", operation: "standInOrder", summary: "A stand-in.", access: .authenticated,
                        body: .json(.openObject()), idempotency: .required, replies: [.json(200, "A job.", .any)]
                    ) { [self] _ in
                        state.withLock { $0.ordered += 1 }
                        while !state.withLock({ $0.isLet }) { try await Task.sleep(for: .milliseconds(5)) }
                        return .json(["job": "tj_1"])
                    },
                    Route(
                        .get, "/v1/training-jobs/{job}", operation: "standInJob", summary: "A stand-in.", access: .authenticated,
                        replies: [.json(200, "A job.", .any)]
                    ) { _ in .json(["status": "queued"]) },
                    Route(
                        .post, "/v1/training-jobs/{job}/cancel", operation: "standInCancel", summary: "A stand-in.",
                        access: .authenticated, idempotency: .required, replies: [.json(200, "A job.", .any)]
                    ) { [self] context in
                        state.withLock { $0.cancelled.append(context.path["job"]) }
                        return .json(["status": "cancelled"])
                    },
                ])
        }
    }

    /// Cancelled while training is just being asked, it is neither trained nor paid.
    @Test func aJobThatIsBeingOrderedIsCancelledThereToo() async throws {
        let training = Training()
        try await withGateway(more: [training.mount]) { gateway in
            let token = try gateway.house.token("ann", scopes: ["jobs:write", "models:write"])
            let created = try await gateway.call(
                "POST", "/v1/fine_tuning/jobs", token: token, ["model": "tiny", "training_file": "dn_1@1"])
            let id = try #require(created.json["id"]?.stringValue, "\(created.json)")
            try await eventually("the training is ordered") { training.state.withLock { $0.ordered } == 1 }
            let cancelling = Task { try await gateway.call("POST", "/v1/fine_tuning/jobs/\(id)/cancel", token: token) }
            training.state.withLock { $0.isLet = true }
            let cancelled = try await cancelling.value
            #expect(cancelled.status == 200 && cancelled.json["status"] == "cancelled", "\(cancelled.json)")
            #expect(training.state.withLock { $0.cancelled } == ["tj_1"])
            let shown = try await gateway.call("GET", "/v1/fine_tuning/jobs/\(id)", token: token)
            #expect(shown.json["status"] == "cancelled")
        }
    }
}
