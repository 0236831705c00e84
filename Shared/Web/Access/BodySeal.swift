internal import HTTP
internal import HTTPSignatures

/// What a signed request says of its body: checked when the body has been read.
struct BodySeal: Sendable {
    /// The `Content-Digest` that the signature covers; nil when it covers none.
    let digest: String?

    /// - Throws: `Problem` 401 when the body is another one than was signed.
    func check(_ body: [UInt8]) throws(Problem) {
        guard let digest else {
            if body.isEmpty { return }
            throw .unauthenticated("the signature must cover content-digest, since there is a body", error: "invalid_token")
        }
        let isRight: Bool
        do { isRight = try ContentDigest.isRight(digest, for: body) } catch {
            throw .unauthenticated(error.description, error: "invalid_token")
        }
        guard isRight else { throw .unauthenticated("the body is not the one that Content-Digest says", error: "invalid_token") }
    }
}
