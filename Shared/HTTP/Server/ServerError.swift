/// Why a server could not start.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Sendable, Hashable {
        /// The address, path, group or range is not one.
        case badAddress
        /// Somebody else listens there.
        case addressInUse
        /// The user may not listen there.
        case permission
        /// Another failure of the system.
        case system
    }

    /// The kind of failure.
    public let code: Code
    /// What failed and what to do.
    public let description: String
}
