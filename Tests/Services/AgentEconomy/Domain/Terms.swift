import Crypto
import Events
import Money

/// Facts of other services for these tests.
enum Terms {
    static func model(_ name: String, owner: String, request: Int = 0) throws -> ModelPublished {
        let zero = Amount.zero(try Asset("USDC/6"))
        return ModelPublished(
            model: name, version: 1, owner: owner, base: "tiny", snapshots: [], retrieval: [],
            price: ModelPrice(request: Amount(Int128(request), zero.asset), input: zero, output: zero),
            split: ModelSplit(owner: 2_000, datanets: 1_500, contributors: 5_000, validators: 500, compute: 1_000),
            attribution: AttributionPolicy(
                rules: "attribution/1", spans: 5_000, influence: 5_000, retrieval: 0, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
                minimumSpan: 8))
    }

    static func datanet(_ id: String) throws -> DatanetCreated {
        DatanetCreated(
            datanet: id, owner: "carl", domain: "tides", media: "text",
            policy: DatanetPolicy(
                access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
                admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role"))
    }
}
