import Crypto
import Events
import JSON
import Testing
import TrainingDomain

/// Whose the attribution rows are said to be that a runner hands in.
@Suite struct HandedRowsTests {
    private let snapshots: [SnapshotItems]

    init() {
        let digest = SHA256.hash(utf8: "x")
        snapshots = ["dn_1", "dn_2"].map { datanet in
            let items = ["ann", "bob"].map { owner in
                AdmittedItem(
                    item: "it_\(owner)", contribution: "ct", owner: owner, commitment: digest, tokens: 9, licence: "MIT", language: "en",
                    cluster: "it")
            }
            return SnapshotItems(SnapshotReference(datanet: datanet, snapshot: "sn", number: 1, root: digest), items)
        }
    }

    private func row(_ item: String, _ owner: String?, _ datanet: String? = "dn_1") -> JSONValue {
        .members(["item": .string(item), "owner": owner.map { .string($0) }, "datanet": datanet.map { .string($0) }])
    }

    private var canaries: [JSONValue] { (0..<32).map { row("canary/\($0 / 8)/\($0 % 8)", nil, nil) } }

    private func require(_ rows: [JSONValue], checkpoints: Int = 2) throws {
        try HandedRows.require(
            JSONValue.object(JSONObject([("checkpoints", .count(checkpoints)), ("rows", .array(rows))])).object(), of: snapshots)
    }

    @Test func rowsOfTheItemsThatWereLearnedFromAndAllCanariesAreTaken() throws {
        try require([row("it_ann", "ann"), row("it_ann", "ann"), row("it_bob", "bob"), row("it_bob", "bob", "dn_2")] + canaries)
        try require(canaries, checkpoints: 1)
    }

    @Test func everythingElseIsRefused() {
        let bad: [[JSONValue]] = [
            // An item of one's own once more, as nobody's: attribution would look its owner up.
            [row("it_bob", nil)] + canaries, [row("it_bob", nil, nil)] + canaries,
            [row("it_ann", "bob")] + canaries, [row("it_eve", "eve")] + canaries, [row("it_ann", "ann", "dn_3")] + canaries,
            [row("it_ann", "ann", nil)] + canaries, [], Array(canaries.dropLast()), canaries + [canaries[0]],
            canaries.dropLast() + [row("canary/4/0", nil, nil)],
        ]
        for rows in bad { #expect(throws: (any Error).self) { try require(rows) } }
        for checkpoints in [0, 3, 1_000] { #expect(throws: TrainingError.self) { try require(canaries, checkpoints: checkpoints) } }
    }
}
