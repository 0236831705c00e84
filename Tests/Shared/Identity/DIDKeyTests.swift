import Crypto
import Identity
import Testing

@Suite("did:key")
struct DIDKeyTests {
    @Test(
        "published identifiers of known keys",
        arguments: [
            (
                "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
                "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
            ),
            (
                "4cb5abf6ad79fbf5abbccafcc269d85cd2651ed4b885b5869f241aedf0a5ba29",
                "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"
            ),
        ])
    func published(hex: String, text: String) throws {
        let key = try Ed25519PublicKey(try #require(Hex.decode(hex)))
        #expect(DIDKey.text(for: key) == text)
        #expect(DIDKey.publicKey(in: text) == key)
    }

    @Test("any key goes there and back")
    func roundTrip() throws {
        for _ in 0..<50 {
            let key = try Ed25519PrivateKey.generate().publicKey
            #expect(DIDKey.publicKey(in: DIDKey.text(for: key)) == key)
        }
    }

    @Test(
        "other identifiers are refused",
        arguments: [
            "", "did:key:z", "did:key:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            "did:web:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWpp",
            "did:key:z16MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW0",
            "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp#z6Mk", "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F",
            "did:key:z" + String(repeating: "1", count: 5000),
        ])
    func refused(text: String) { #expect(DIDKey.publicKey(in: text) == nil) }
}
