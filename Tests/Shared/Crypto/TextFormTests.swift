import Crypto
import Testing

@Suite("Bytes as text")
struct TextFormTests {
    @Test(
        "RFC 4648's examples",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func published(plain: String, text: String) {
        let unpadded = text.filter { $0 != "=" }
        #expect(Base64.encode(ascii(plain)) == text)
        #expect(Base64.decode(text) == ascii(plain))
        #expect(Base64URL.encode(ascii(plain)) == unpadded)
        #expect(Base64URL.encodedBytes(ascii(plain)) == ascii(unpadded))
        #expect(Base64URL.decode(unpadded) == ascii(plain))
        #expect(Base64URL.decode(ascii("." + unpadded + ".").dropFirst().dropLast()) == ascii(plain))
    }

    @Test("any bytes go there and back")
    func roundTrips() {
        for count in 0..<300 {
            let content = Random.bytes(count)
            #expect(Base64.decode(Base64.encode(content)) == content)
            var stream = Base64Stream()
            let cut = count * 5 / 8
            let pieces = stream.add(Array(content[..<cut])) + stream.add(Array(content[cut...])) + stream.finish()
            #expect(pieces == ascii(Base64.encode(content)))
            #expect(Base64URL.decode(Base64URL.encode(content)) == content)
            #expect(Hex.decode(Hex.encode(content)) == content)
        }
    }

    @Test(
        "Base64 that is not the one text of its bytes is refused",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=", "====", "Z===", "Zm 9v", "Zm9v\n", "Zm9v====", "Z=m9", "Zm-_", "é===",
            "Zg==Zg==",
        ])
    func paddedRefusals(text: String) { #expect(Base64.decode(text) == nil) }

    @Test(
        "Base64 for addresses that is not the one text of its bytes is refused",
        arguments: ["Zg==", "Zm8=", "Z", "Zh", "Zm9", "Zm+/", "Zm9vY", "Zm\n9v", " Zm9v", "Zm9v."])
    func urlRefusals(text: String) { #expect(Base64URL.decode(text) == nil) }

    @Test("each byte value has two hexadecimal digits, lower case only")
    func hex() {
        #expect(Hex.encode([0x00, 0x0f, 0xa9, 0xff]) == "000fa9ff")
        for text in ["0", "0g", "AA", "0x", " 00", "00 ", "é"] { #expect(Hex.decode(text) == nil) }
    }
}
