/// Why an amount, an asset or a split cannot be what it was asked to be.
public enum MoneyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not the name of an asset.
    case malformedAsset(String)
    /// Not an amount as it stands in events, or as people write it.
    case malformedAmount(String)
    /// More digits after the point than the asset has.
    case tooFine(String, asset: Asset)
    /// The result does not fit 128 bits.
    case overflow(Asset)
    /// Two amounts of different assets met.
    case wrongAsset(expected: Asset, actual: Asset)
    /// A split among nobody, or by weights that are all zero.
    case nothingToSplitBy
    /// Parts that must add up to a whole do not.
    case wrongTotal(what: String, expected: Int64, actual: Int64)
    /// A part outside what a part may be.
    case outOfRange(what: String, value: Int64, least: Int64, most: Int64)

    /// A sentence that names the culprit and what to do.
    public var description: String {
        switch self {
        case .malformedAsset(let text):
            "\"\(text.prefix(40))\" is not an asset: write a code of 1 to 16 of A–Z and 0–9 that begins with a letter, a slash, and 0 to 18 as the count of minor digits, such as USDC/6"
        case .malformedAmount(let text):
            "\"\(text.prefix(60))\" is not an amount: write decimal digits, no leading zeros, a minus only before a number other than 0"
        case .tooFine(let text, let asset):
            "\"\(text.prefix(60))\" is finer than \(asset) can be: at most \(asset.digits) digits after the point"
        case .overflow(let asset): "the result in \(asset) does not fit 128 bits"
        case .wrongAsset(let expected, let actual): "expected \(expected), got \(actual): amounts of different assets do not mix"
        case .nothingToSplitBy: "a split needs at least one weight above zero"
        case .wrongTotal(let what, let expected, let actual): "\(what) must add up to \(expected), they add up to \(actual)"
        case .outOfRange(let what, let value, let least, let most): "\(what) must be from \(least) to \(most), is \(value)"
        }
    }
}
