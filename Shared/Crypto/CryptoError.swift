internal import CCrypto

/// Why a cryptographic operation failed. Never holds key material or plaintext.
public enum CryptoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A key, nonce or signature of the wrong size.
    case wrongLength(what: String, expected: Int, actual: Int)
    /// Bytes that are not what they should be, for instance a PEM text of another kind of key.
    case malformed(what: String)
    /// A sealed message was changed, or the key, nonce or authenticated data is another one.
    case notAuthentic
    /// A parameter outside what the operation allows.
    case outOfRange(what: String)
    /// libcrypto refused; its reasons, first cause first.
    case library(operation: String, reasons: [String])

    /// A sentence that names the culprit.
    public var description: String {
        switch self {
        case .wrongLength(let what, let expected, let actual): "\(what): expected \(expected) bytes, got \(actual)"
        case .malformed(let what): "malformed \(what)"
        case .notAuthentic: "the sealed message does not open: it was changed, or key, nonce or authenticated data differ"
        case .outOfRange(let what): "\(what) is out of range"
        case .library(let operation, let reasons):
            reasons.isEmpty ? "\(operation) failed" : "\(operation) failed: \(reasons.joined(separator: "; "))"
        }
    }

    /// Empties libcrypto's queue of this thread into an error: what is left there would be blamed on the next call.
    static func drain(_ operation: String) -> CryptoError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            reasons.append(
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                    guard let start = buffer.baseAddress else { return "" }
                    ERR_error_string_n(code, start, 256)
                    return String(cString: start)
                })
        }
        return .library(operation: operation, reasons: reasons)
    }
}

/// Throws what libcrypto queued unless the status is its 1 for success.
func check(_ status: Int32, _ operation: String) throws(CryptoError) {
    if status != 1 { throw .drain(operation) }
}
