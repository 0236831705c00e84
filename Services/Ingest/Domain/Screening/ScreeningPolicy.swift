public import Events
public import Licences

/// What of a Datanet's policy screening looks at.
public struct ScreeningPolicy: Sendable, Hashable {
    /// The licences that are taken.
    public let licences: LicencePolicy
    /// The least quality, 0 to 1,000.
    public let minimumQuality: Int
    /// `text`, `image` or `audio`.
    public let media: String

    /// From its parts.
    public init(licences: LicencePolicy = LicencePolicy([]), minimumQuality: Int = 0, media: String = "text") {
        self.licences = licences
        self.minimumQuality = minimumQuality
        self.media = media
    }

    /// Of a Datanet. Its least quality for automatic admission is not a rule of screening: a panel may still take the item.
    public init(_ policy: DatanetPolicy, media: String) {
        self.init(licences: LicencePolicy(policy.licences), minimumQuality: 0, media: media)
    }
}
