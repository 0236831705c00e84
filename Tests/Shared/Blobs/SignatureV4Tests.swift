import Crypto
import Testing

@testable import Blobs

/// Examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
@Suite struct SignatureV4Tests {
    let signer = SignatureV4(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")
    let time = S3Time(seconds: 1_369_353_600)

    private func signature(_ fields: [(String, String)]) -> String? {
        fields.first { $0.0 == "authorization" }?.1.split(separator: "Signature=").last.map(String.init)
    }

    @Test func getOfARange() {
        let fields = signer.fields(
            method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt", query: [], headers: [("range", "bytes=0-9")],
            payload: SHA256.hash([]), time: time)
        #expect(signature(fields) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func putOfAnObject() {
        let fields = signer.fields(
            method: "PUT", host: "examplebucket.s3.amazonaws.com", path: "/test%24file.text", query: [],
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: SHA256.hash(utf8: "Welcome to Amazon S3."), time: time)
        #expect(signature(fields) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func listWithAQuery() {
        let fields = signer.fields(
            method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/", query: [("prefix", "J"), ("max-keys", "2")], headers: [],
            payload: SHA256.hash([]), time: time)
        #expect(signature(fields) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (1_369_353_600, "20130524T000000Z"), (951_782_400, "20000229T000000Z"),
        (1_735_689_599, "20241231T235959Z"),
        (4_107_542_400, "21000301T000000Z"),
    ])
    func stampsAreCivilDates(seconds: Int, stamp: String) { #expect(S3Time(seconds: seconds).stamp == stamp) }
}
