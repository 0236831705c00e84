internal import HTTP

/// The proxies whose word about the client is believed.
///
/// Only then are `X-Forwarded-For` and `X-Forwarded-Proto` read; from anybody else they are a claim that costs nothing.
/// The list is walked from its right end, where the nearest proxy wrote, to the first address that is not a trusted proxy's.
public struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]
    private let unixSockets: Bool

    /// Nobody is believed.
    public static let none = TrustedProxies()

    private init() {
        ranges = []
        unixSockets = false
    }

    /// - Parameters:
    ///   - ranges: addresses and CIDR blocks, such as "127.0.0.1", "10.0.0.0/8", "fd00::/8".
    ///   - unixSockets: whether whoever may open the server's UNIX socket is a proxy.
    /// - Throws: `ServerError` that names the range which is not one.
    public init(ranges: [String] = [], unixSockets: Bool = false) throws(ServerError) {
        var parsed: [AddressRange] = []
        for text in ranges {
            guard let range = AddressRange(text) else {
                throw ServerError(code: .badAddress, description: "\"\(text)\" is not an address or CIDR block such as 10.0.0.0/8")
            }
            parsed.append(range)
        }
        self.ranges = parsed
        self.unixSockets = unixSockets
    }

    /// Whether a connection from there speaks for others. A UNIX socket has no address.
    func trusts(_ address: IPAddress?) -> Bool {
        guard let address else { return unixSockets }
        return ranges.contains { $0.contains(address) }
    }

    /// Who asks: the one who holds the connection, or whom a trusted proxy names.
    func client(of remote: Sockets.Remote?, _ headers: Headers) -> (peer: Peer, address: IPAddress?) {
        guard trusts(remote?.address) else { return (Self.holder(remote), remote?.address) }
        let isSecure = headers.all("X-Forwarded-Proto").last?.split(separator: ",").last.map(Self.trimmed)?.lowercased() == "https"
        var named: IPAddress?
        walk: for value in headers.all("X-Forwarded-For").reversed() {
            for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let address = Self.address(Self.trimmed(entry)) else { break walk }
                named = address
                if !trusts(address) { break walk }
            }
        }
        guard let named else { return (Self.holder(remote, isSecure: isSecure), remote?.address) }
        return (Peer(address: named.text, isForwarded: true, isSecure: isSecure), named)
    }

    /// Who holds a connection.
    static func holder(_ remote: Sockets.Remote?, isSecure: Bool = false) -> Peer {
        guard let remote else { return Peer(address: "unix", isSecure: isSecure) }
        return Peer(address: remote.address.text, port: remote.port, isSecure: isSecure)
    }

    /// "192.0.2.7", "192.0.2.7:4711", "2001:db8::7" or "[2001:db8::7]:4711".
    private static func address(_ text: String) -> IPAddress? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return IPAddress(String(text[text.index(after: text.startIndex)..<end]))
        }
        if let whole = IPAddress(text) { return whole }
        guard let colon = text.firstIndex(of: ":"), text[text.index(after: colon)...].utf8.allSatisfy(Chars.isDigit) else { return nil }
        return IPAddress(String(text[..<colon]))
    }

    private static func trimmed(_ text: Substring) -> String {
        var part = text.utf8[...]
        while let first = part.first, Chars.isBlank(first) { part.removeFirst() }
        while let last = part.last, Chars.isBlank(last) { part.removeLast() }
        return String(part) ?? ""
    }
}
