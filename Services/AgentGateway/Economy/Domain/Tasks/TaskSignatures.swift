internal import Crypto
internal import Events
internal import Identity

/// The texts that are signed when work is delivered and accepted. Each begins with what it is for.
enum TaskSignatures {
    static func submission(_ task: String, _ milestone: Int, _ hashes: [Digest]) -> [UInt8] {
        text("openledger/task-submission", task, milestone, hashes)
    }

    static func completion(_ task: String, _ milestone: Int, _ hashes: [Digest]) -> [UInt8] {
        text("openledger/task-completion", task, milestone, hashes)
    }

    private static func text(_ purpose: String, _ task: String, _ milestone: Int, _ hashes: [Digest]) -> [UInt8] {
        Array(([purpose, task, String(milestone)] + hashes.map(\.prefixed)).joined(separator: "\n").utf8)
    }

    /// Throws unless the signature, where there is one, is by a key that the principal has now.
    static func check(
        _ signature: TaskSignature?, of principal: String, _ state: EconomyState, over text: [UInt8]
    ) throws(EconomyError) {
        guard let signature else { return }
        guard state.parties[principal]?.keys.contains(signature.key) == true, let key = DIDKey.publicKey(in: signature.key),
            let bytes = Base64URL.decode(signature.signature), key.isValid(signature: bytes, for: text)
        else { throw .badSignature("the signature is not by a key of \(principal) over the text that the documentation gives") }
    }
}
