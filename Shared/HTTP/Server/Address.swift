/// Where a server listens.
public enum Address: Sendable, Hashable, CustomStringConvertible {
    /// A numeric IPv4 address; port 0 takes any free one.
    case ipv4(String, port: Int)
    /// A numeric IPv6 address; port 0 takes any free one. "::" also takes IPv4 where the system allows it.
    case ipv6(String, port: Int)
    /// A socket in the file system. A proxy of another user needs the mode, and mostly the group, to connect.
    case unix(String, mode: UInt16 = 0o600, group: String? = nil)

    /// As the log names it.
    public var description: String {
        switch self {
        case .ipv4(let host, let port): "\(host):\(port)"
        case .ipv6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path, _, _): "unix:\(path)"
        }
    }
}
