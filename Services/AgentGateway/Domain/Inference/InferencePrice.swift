public import Events
public import Money

/// What an answer costs, by its model's published price.
public enum InferencePrice {
    /// Bytes of prose that no tokenizer takes for less than one token, on average over a prompt: what a prompt is charged by that nobody
    /// has counted.
    public static let mostBytesOfToken = 8

    /// The price of a request, and of its tokens by the million. Rounded up once, at the end, so that no answer is free because it is
    /// short.
    public static func fee(_ price: ModelPrice, input: Int, output: Int) throws(MoneyError) -> Amount {
        let tokens = try price.input.multiplied(by: Int64(input)).adding(try price.output.multiplied(by: Int64(output)))
        let rounded = try tokens.adding(Amount(999_999, tokens.asset))
        return try price.request.adding(Amount(rounded.units / 1_000_000, tokens.asset))
    }

    /// The most that an answer can cost: what is held before it is given.
    /// - Parameters:
    ///   - promptBytes: no token is shorter than a byte, and templates add a few for each message.
    ///   - output: the most tokens that the answer may have.
    public static func most(_ price: ModelPrice, promptBytes: Int, messages: Int, output: Int) throws(MoneyError) -> Amount {
        try fee(price, input: TokenBounds.mostInput(bytes: promptBytes, messages: messages), output: output)
    }
}
