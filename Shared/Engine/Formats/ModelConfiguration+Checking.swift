extension ModelConfiguration {
    /// Throws unless the parts fit each other and stay within what the engine can hold.
    public func check(file: String = "config.json") throws(FormatError) {
        let sizes: [(String, Int, ClosedRange<Int>)] = [
            ("vocab_size", vocabularySize, 1...1 << 20), ("hidden_size", hiddenSize, 1...1 << 15),
            ("intermediate_size", intermediateSize, 1...1 << 17), ("num_hidden_layers", layerCount, 1...512),
            ("num_attention_heads", headCount, 1...1024), ("num_key_value_heads", keyValueHeadCount, 1...1024),
            ("head_dim", headSize, 2...1024), ("max_position_embeddings", contextLength, 1...1 << 24),
        ]
        for (name, value, range) in sizes where !range.contains(value) {
            throw FormatError(
                .unsupported, file: file, place: "/" + name, "must be from \(range.lowerBound) to \(range.upperBound), is \(value)")
        }
        guard headCount % keyValueHeadCount == 0 else {
            throw FormatError(
                .malformed, file: file, place: "/num_key_value_heads",
                "\(keyValueHeadCount) key heads do not divide \(headCount) query heads")
        }
        guard headSize % 2 == 0 else {
            throw FormatError(.unsupported, file: file, place: "/head_dim", "must be even for rotary positions, is \(headSize)")
        }
        guard normEpsilon > 0, normEpsilon < 1 else {
            throw FormatError(.malformed, file: file, place: "/rms_norm_eps", "must lie between 0 and 1, is \(normEpsilon)")
        }
        guard ropeTheta >= 1, ropeTheta.isFinite else {
            throw FormatError(.malformed, file: file, place: "/rope_theta", "must be at least 1, is \(ropeTheta)")
        }
        if let slidingWindow, slidingWindow < 1 {
            throw FormatError(.malformed, file: file, place: "/sliding_window", "must be at least 1, is \(slidingWindow)")
        }
        guard slidingWindowLayers.lowerBound >= 0, slidingWindowLayers.upperBound <= layerCount else {
            throw FormatError(.malformed, file: file, place: "/layer_types", "names layers that the model does not have")
        }
        for token in (beginToken.map { [$0] } ?? []) + endTokens where !(0..<vocabularySize).contains(token) {
            throw FormatError(
                .malformed, file: file, place: "/eos_token_id", "token \(token) is not among the \(vocabularySize) of the vocabulary")
        }
        try checkScaling(file)
    }

    private func checkScaling(_ file: String) throws(FormatError) {
        let place = "/rope_scaling"
        switch ropeScaling {
        case nil: break
        case .linear(let factor):
            guard factor >= 1, factor <= 1024 else {
                throw FormatError(.malformed, file: file, place: place, "factor must be from 1 to 1024, is \(factor)")
            }
        case .llama3(let factor, let low, let high, let original):
            guard factor >= 1, factor <= 1024, low > 0, high > low, high < 1e6, original > 0 else {
                throw FormatError(
                    .malformed, file: file, place: place,
                    "needs factor from 1 to 1024, high_freq_factor above low_freq_factor above 0, and original_max_position_embeddings")
            }
        }
    }
}
