public import Crypto

/// Why an event came to be. It makes the event's id, and it is what a repeated append is recognised by.
public enum Cause: Sendable, Hashable {
    /// Somebody asked for it: the caller's command id, and the SHA-256 of the command's canonical body.
    case command(id: String, digest: Digest)
    /// A service reacted to another event, named by its id.
    case event(id: EventID)

    /// At most this many bytes in a command id.
    public static let maximumCommandBytes = 200

    /// The id of the command or of the event.
    public var id: String {
        switch self {
        case .command(let id, _): id
        case .event(let id): id.text
        }
    }
}
