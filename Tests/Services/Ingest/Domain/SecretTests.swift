import Crypto
import Testing

@testable import IngestDomain

@Suite struct SecretTests {
    static let scanner = SecretScanner()

    private func codes(_ text: String) -> [ReasonCode] { Self.scanner.findings(in: Array(text.utf8)).map(\.code) }

    @Test func thePatternsCompile() { #expect(Self.scanner.isReady) }

    @Test(arguments: [
        (ReasonCode.apiKey, "key AKIAIOSFODNN7EXAMPLF in the config"),
        (.apiKey, "token ghp_16C7e42F292c6912E7710c838347Ae178B4a here"),
        (.apiKey, "password = \"Xk29dkZp0QmVt7Lw8sYe\""),
        (.apiKey, "postgres://admin:hunter2pass@db.internal.net/x"),
        (.privateKey, "-----BEGIN OPENSSH PRIVATE KEY-----"),
        (.walletKey, "private key: 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"),
        (.walletKey, "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"),
        (.seedPhrase, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
        (.seedPhrase, "1. legal 2. winner 3. thank 4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. winner 11. thank 12. yellow"),
        (.mail, "write to jane.doe@mailbox.org today"), (.phone, "call +49 30 1234567 now"), (.phone, "phone (212) 736-5000."),
        (.card, "paid with 4111 1111 1111 1111"), (.card, "amex 378282246310005"), (.bankAccount, "IBAN DE89 3704 0044 0532 0130 00"),
        (.nationalNumber, "SSN 219-09-9999"),
    ])
    func whatIsSecretOrPersonalIsFound(code: ReasonCode, text: String) { #expect(codes(text) == [code]) }

    @Test(arguments: [
        "AKIAIOSFODNN7EXAMPLE", "the transaction 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318 was reverted",
        "legal winner thank year wave sausage worth useful legal winner thank legal", "someone@example.com", "call 1-800-555-0199",
        "4111 1111 1111 1112", "2019 2018 2017 2016", "1,234,567,890,123,456", "password: ask the administrator", "219-00-9999",
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK", "0000 0000 0000 0000", "version 1.2.3-4567", "DE00 3704 0044 0532 0130 00",
        "The ratio was 212-736 of 5000 in 2019-2020.", "ISBN 978-3-16-148410-0",
    ])
    func whatOnlyLooksLikeItIsNot(text: String) { #expect(codes(text) == []) }

    @Test func aRealOneIsFoundBehindAnyNumberOfThoseThatOnlyLookLikeIt() {
        let decoys = (0..<200).map { "someone\($0)@example.com 4111 1111 1111 1112" }.joined(separator: ", ")
        #expect(codes("\(decoys), jane.doe@mailbox.org and 4111 1111 1111 1111") == [.mail, .card])
    }

    @Test func findingsSayWhereAndNeverWhat() throws {
        let text = "mail jane.doe@mailbox.org"
        let finding = try #require(Self.scanner.findings(in: Array(text.utf8)).first)
        #expect(finding.range == 5..<25)
        #expect(!String(describing: finding).contains("jane"))
    }

    @Test func bytesThatAreNoTextDoNotHurt() {
        for seed in 0..<50 {
            let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed &* 977) >> 7) }
            _ = Self.scanner.findings(in: bytes)
        }
    }

    @Test func logarithmsAreRightToTheLastThousandth() {
        #expect(Checksums.log2Thousandths(1) == 0)
        #expect(Checksums.log2Thousandths(2) == 1000)
        #expect(abs(Checksums.log2Thousandths(10) - 3321) <= 1)
        #expect(abs(Checksums.log2Thousandths(1000) - 9965) <= 1)
        #expect(abs(Checksums.entropy(Array("abcdefgh".utf8)) - 3000) <= 1)
    }
}
