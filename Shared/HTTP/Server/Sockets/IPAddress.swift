internal import CEpoll
internal import Glibc

/// An IP address. IPv4 lies in ::ffff:0:0/96, so that a socket that takes both kinds names a client as any other does.
struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    private static let mapped: UInt64 = 0xffff << 32

    var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From four bytes in network order.
    init(_ address: in_addr) {
        self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: address.s_addr)))
    }

    init(_ address: in6_addr) {
        let (high, low) = unsafe withUnsafeBytes(of: address) { bytes in
            unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }

    /// From its numeric form, IPv4 or IPv6.
    init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4)
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    /// The numeric form (RFC 5952 for IPv6).
    var text: String {
        if isIPv4 {
            return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
        }
        var address = in6_addr()
        unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        var buffer = [UInt8](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe buffer.withUnsafeMutableBytes { raw in
            _ = unsafe inet_ntop(AF_INET6, &address, raw.baseAddress?.assumingMemoryBound(to: CChar.self), socklen_t(raw.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// What counts as one client where clients are limited: an IPv6 site is given 2^64 addresses.
    var client: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }
}

/// All addresses that begin with the same bits.
struct AddressRange: Hashable, Sendable {
    private let base: IPAddress
    private let bits: Int

    /// "10.0.0.0/8", "fd00::/8" or a single address.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        let isIPv4Text = !first.utf8.contains(Chars.colon)
        let width = isIPv4Text ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), parts[1].utf8.allSatisfy(Chars.isDigit), given <= width else { return nil }
            length = given
        }
        bits = isIPv4Text ? 96 + length : length
        base = Self.masked(address, bits)
    }

    func contains(_ address: IPAddress) -> Bool { Self.masked(address, bits) == base }

    private static func masked(_ address: IPAddress, _ bits: Int) -> IPAddress {
        // Shifts by 64 and more give 0 in Swift, which is what an empty mask is.
        let high = bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
        let low = bits <= 64 ? 0 : ~(UInt64.max >> UInt64(bits - 64))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}
