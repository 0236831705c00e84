import HTTP
import Testing

@testable import HTTPServer

@Suite("Proxies")
struct TrustedProxyTests {
    private func client(_ proxies: TrustedProxies, _ remote: String?, _ headers: Headers) throws -> String {
        let address = try remote.map { try #require(IPAddress($0)) }
        let peer = proxies.client(of: address.map { Sockets.Remote(address: $0, port: 9) }, headers).peer
        return "\(peer)\(peer.isForwarded ? " forwarded" : "")\(peer.isSecure ? " secure" : "")"
    }

    @Test("that are not trusted are not believed")
    func untrusted() throws {
        let forged: Headers = ["X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"]
        #expect(try client(.none, "192.0.2.1", forged) == "192.0.2.1:9")
        #expect(try client(.none, nil, forged) == "unix")
        #expect(try client(TrustedProxies(ranges: ["10.0.0.0/8"]), "11.0.0.1", forged) == "11.0.0.1:9")
    }

    @Test("that are trusted name the client: the last address that is not theirs")
    func trusted() throws {
        let proxies = try TrustedProxies(ranges: ["10.0.0.0/8", "fd00::/8", "127.0.0.1"], unixSockets: true)
        #expect(try client(proxies, "10.1.2.3", [:]) == "10.1.2.3:9")
        #expect(try client(proxies, "10.1.2.3", ["X-Forwarded-For": "6.6.6.6, 192.0.2.7"]) == "192.0.2.7 forwarded")
        #expect(try client(proxies, nil, ["X-Forwarded-For": "6.6.6.6,192.0.2.7 , 10.9.9.9,fd00::1"]) == "192.0.2.7 forwarded")
        #expect(try client(proxies, nil, ["X-Forwarded-For": "6.6.6.6", "x-forwarded-for": "192.0.2.7"]) == "192.0.2.7 forwarded")
        #expect(try client(proxies, "127.0.0.1", ["X-Forwarded-For": "192.0.2.7:4711"]) == "192.0.2.7 forwarded")
        #expect(try client(proxies, "fd00::5", ["X-Forwarded-For": "[2001:DB8::7]:4711"]) == "2001:db8::7 forwarded")
        #expect(
            try client(proxies, "10.1.1.1", ["X-Forwarded-For": "2001:db8::7", "X-Forwarded-Proto": "https"])
                == "2001:db8::7 forwarded secure")
        #expect(try client(proxies, "10.1.1.1", ["X-Forwarded-For": "10.2.2.2, 10.3.3.3"]) == "10.2.2.2 forwarded")
        #expect(
            try client(proxies, "10.1.1.1", ["X-Forwarded-For": "6.6.6.6, junk, 10.3.3.3"]) == "10.3.3.3 forwarded",
            "what stands behind junk is not believed")
        #expect(try client(proxies, "10.1.1.1", ["X-Forwarded-For": "6.6.6.6,"]) == "10.1.1.1:9")
    }

    @Test(
        "are given as addresses or blocks, and nothing else",
        arguments: ["", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "a.example", "10.0.0.0/8/8", "1.2.3.4/+8"])
    func badRanges(_ text: String) { #expect(throws: ServerError.self) { try TrustedProxies(ranges: [text]) } }

    @Test("are recognised by the leading bits of their address")
    func ranges() throws {
        for (range, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.1", "10.2.0.0"), ("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("0.0.0.0/0", "255.0.0.1", "::1"),
            ("::1", "::1", "::2"), ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"), ("fe80::/64", "fe80::1", "fe80:0:0:1::1"),
        ] {
            let block = try #require(AddressRange(range))
            #expect(block.contains(try #require(IPAddress(inside))), "\(range) \(inside)")
            #expect(!block.contains(try #require(IPAddress(outside))), "\(range) \(outside)")
        }
        #expect(try #require(AddressRange("::/0")).contains(try #require(IPAddress("1.2.3.4"))))
    }

    @Test(
        "Addresses are read and written in their one form",
        arguments: [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:DB8:0::7", "2001:db8::7")])
    func addresses(_ text: String, _ canonical: String) { #expect(IPAddress(text)?.text == canonical) }

    @Test("An IPv6 client is its /64")
    func site() throws {
        #expect(try #require(IPAddress("2001:db8:1:2:3::4")).client == IPAddress("2001:db8:1:2::"))
        #expect(try #require(IPAddress("192.0.2.7")).client == IPAddress("192.0.2.7"))
    }
}
