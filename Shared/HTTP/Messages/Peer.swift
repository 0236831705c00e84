/// Who is at the other end of a request.
public struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// The numeric IP address ("192.0.2.7", "2001:db8::7"), or "unix" for a UNIX socket whose proxy named no client.
    public let address: String
    /// The port, where it is known: a proxy does not tell it.
    public let port: Int?
    /// Whether a trusted proxy named this client, so that it is not the one that holds the connection.
    public let isForwarded: Bool
    /// Whether a trusted proxy said that the client came by TLS.
    public let isSecure: Bool

    /// Makes a peer.
    public init(address: String, port: Int? = nil, isForwarded: Bool = false, isSecure: Bool = false) {
        self.address = address
        self.port = port
        self.isForwarded = isForwarded
        self.isSecure = isSecure
    }

    /// "192.0.2.7:50812", "[2001:db8::7]:50812", "192.0.2.7" or "unix".
    public var description: String {
        guard let port else { return address }
        return address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
