/// What of a backend's counts is believed. It has computed the answer and says how long that was, and is paid by it; whoever hears the
/// answer sees how much of it there is.
public enum TokenBounds {
    /// Tokens that say nothing, such as the one that ends an answer, or a template's.
    public static let slack = 16

    /// Tokens of an answer: at least the pieces in which it came, each of which has one; at most one for each byte of it, and a few.
    /// - Parameters:
    ///   - told: what the backend counts.
    ///   - pieces: the pieces that had a part of the answer in them.
    ///   - bytes: of text and calls; and those of the text that was to end it, which is not told.
    ///   - most: the tokens that were asked for.
    ///   - isHidden: whether the backend's models think before they speak, and count that: then only what was asked for bounds it.
    public static func output(told: Int, pieces: Int, bytes: Int, most: Int, isHidden: Bool) -> Int {
        let upper = isHidden ? most : min(most, bytes + slack)
        return max(0, min(upper, max(told, pieces)))
    }

    /// Tokens of what the model read: at most one for each byte and what templates add; where nothing is counted, the least that so many
    /// bytes can be.
    /// - Parameter messages: how many the bytes are in.
    public static func input(told: Int, bytes: Int, messages: Int) -> Int {
        guard told > 0 else { return bytes > 0 ? max(1, bytes / InferencePrice.mostBytesOfToken) : 0 }
        return min(told, mostInput(bytes: bytes, messages: messages))
    }

    /// The most tokens that the model can read in so many bytes: no token is shorter than one, and templates add a few for each message.
    public static func mostInput(bytes: Int, messages: Int) -> Int { bytes + slack * (messages + 1) }
}
