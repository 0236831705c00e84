/// Why an item was refused, or what was noted of one that passed. The codes are part of the public rules.
public enum ReasonCode: String, Sendable, Hashable, CaseIterable {
    /// The row could not be read.
    case malformed = "row.malformed"
    /// The contribution has no room for the rows from this one on.
    case tooMany = "row.too-many"
    /// The row is not UTF-8.
    case invalidEncoding = "encoding.invalid"
    /// Control characters stand in the text.
    case controlCharacters = "encoding.control"
    /// The text was once read in a wrong encoding: replacement characters or doubly encoded letters.
    case mixedEncoding = "encoding.mixed"
    /// Noted: the text was brought into Unicode's Normalization Form C.
    case normalised = "encoding.normalised"
    /// Neither text nor prompt and completion.
    case empty = "content.empty"
    /// Fewer bytes than an item has to have.
    case tooSmall = "size.too-small"
    /// More bytes than an item may have.
    case tooLarge = "size.too-large"
    /// Noted: no language was recognised.
    case unknownLanguage = "language.unknown"
    /// No licence, neither of the row nor of the manifest.
    case noLicence = "licence.missing"
    /// Not an SPDX expression.
    case unknownLicence = "licence.unknown"
    /// A licence that the Datanet does not take.
    case licenceConflict = "licence.conflict"
    /// A key of a service, a password, a token.
    case apiKey = "secret.api-key"
    /// A private key.
    case privateKey = "secret.private-key"
    /// The private key of a wallet.
    case walletKey = "secret.wallet-key"
    /// The seed phrase of a wallet.
    case seedPhrase = "secret.seed-phrase"
    /// A mail address.
    case mail = "personal.mail"
    /// A telephone number.
    case phone = "personal.phone"
    /// The number of a payment card.
    case card = "personal.card"
    /// The number of a bank account.
    case bankAccount = "personal.bank-account"
    /// A social security number.
    case nationalNumber = "personal.national-number"
    /// The same text came earlier.
    case exactDuplicate = "duplicate.exact"
    /// Noted: it resembles an earlier item, whose cluster it joins.
    case nearDuplicate = "duplicate.near"
    /// Phrases that stand on every page.
    case boilerplate = "content.boilerplate"
    /// The same words or lines again and again.
    case repetition = "content.repetition"
    /// No words of any language.
    case incoherent = "content.incoherent"
    /// Less quality than the Datanet asks for.
    case lowQuality = "quality.low"
    /// A file that is not what it is said to be, or of a kind that the Datanet does not collect.
    case wrongMedia = "media.wrong"
    /// The row names an author who had everything of theirs erased.
    case erasedAuthor = "consent.erased"
    /// The row names an item that it cannot correct.
    case wrongVersion = "version.unknown"

    /// Whether an item with this code is refused; otherwise the code only tells.
    public var isRefusal: Bool {
        switch self {
        case .normalised, .unknownLanguage, .nearDuplicate: false
        default: true
        }
    }

    /// Whether it is said of a row, or a file, that was not read at all: what is kept of it is a note on what was wrong.
    public var isOfUnreadRow: Bool {
        switch self {
        case .malformed, .tooMany, .invalidEncoding, .wrongMedia, .erasedAuthor: true
        default: false
        }
    }

    /// What it means, for people.
    public var meaning: String {
        switch self {
        case .malformed: "the row could not be read"
        case .tooMany: "the contribution has as many items as one may have: bring this row, and those behind it, in another"
        case .invalidEncoding: "the row is not valid UTF-8"
        case .controlCharacters: "control characters stand in the text"
        case .mixedEncoding: "the text was once read in a wrong encoding"
        case .normalised: "the text was brought into Unicode Normalization Form C"
        case .empty: "there is neither a text nor a prompt with a completion"
        case .tooSmall: "the content has fewer than \(ScreeningRules.leastBytes) bytes"
        case .tooLarge:
            "the content has more than \(ScreeningRules.mostBytes) bytes, or its title, source, author or licence more than \(ScreeningRules.mostBytesBeside)"
        case .unknownLanguage: "no language was recognised"
        case .noLicence: "neither the row nor the manifest names a licence"
        case .unknownLicence: "the licence is no SPDX expression"
        case .licenceConflict: "the Datanet does not take this licence"
        case .apiKey: "a service's key, a token or a password"
        case .privateKey: "a private key"
        case .walletKey: "the private key of a wallet"
        case .seedPhrase: "the seed phrase of a wallet"
        case .mail: "a mail address"
        case .phone: "a telephone number"
        case .card: "the number of a payment card"
        case .bankAccount: "the number of a bank account"
        case .nationalNumber: "a social security number"
        case .exactDuplicate: "the same text, but for case and blanks, came earlier"
        case .nearDuplicate: "it resembles an earlier item and joins its cluster"
        case .boilerplate: "phrases that stand on every page of a site"
        case .repetition: "the same words or lines again and again"
        case .incoherent: "letters that make no words of any language, or a list of runs of words"
        case .lowQuality: "less quality than the Datanet asks for"
        case .wrongMedia: "a file of a kind that does not belong here"
        case .erasedAuthor: "the author whom the row names had everything erased, and has not come back"
        case .wrongVersion:
            "the item that the row corrects was not refused in the contribution that this one corrects, or is corrected twice"
        }
    }
}
