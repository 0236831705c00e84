import JSON

/// The rules of settlement that the story is told under.
extension WayStory {
    /// How long settlements can be disputed in the story, in seconds: long enough for a slow machine to have all answers and disputes.
    static let holdback: Int64 = 60

    /// Tells `story` under rules with times that fit it. A house that goes on afterwards has its own back.
    func underRules(_ story: () async throws -> Void) async throws {
        let before = try await client.call("GET", "/v1/settlements/rules", as: nil)
        _ = try await client.call(
            "POST", "/v1/settlements/rules", as: administrator,
            json: [
                "platform_points": 500, "platform": "platform:house",
                "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
                "holdback_seconds": .int(Self.holdback), "dispute_bond": 1_000_000, "unbond_seconds": 604_800, "dust": 1_000,
            ])
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await story()) } catch { outcome = .failure(error) }
        if isGuest {
            do { _ = try await client.call("POST", "/v1/settlements/rules", as: administrator, json: before) } catch {
                Terminal.error("the rules of settlement are still the story's, set yours again with POST /v1/settlements/rules: \(error)")
            }
        }
        try outcome.get()
    }
}
