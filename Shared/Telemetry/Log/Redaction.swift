/// Which log fields must never be written: judged by their name, so that a careless call leaks nothing.
public enum Redaction {
    /// What is written in place of a secret.
    public static let placeholder = "[redacted]"

    private static let anywhere: Set<String> = [
        "password", "passwd", "passphrase", "secret", "secrets", "authorization", "cookie", "credential", "credentials", "apikey", "bearer",
        "jwt", "mnemonic",
    ]
    private static let keysOf: Set<String> = ["api", "private", "secret", "signing", "master", "wrapping"]

    /// Whether a field of this name holds a secret. Words are told apart by `_`, `-`, `.`, space and a change to upper case.
    ///
    /// `token` counts only as the last word: `access_token` is a secret, `token_count` and `tokens` are counts.
    public static func isSecret(_ name: String) -> Bool {
        let words = words(of: name)
        for (index, word) in words.enumerated() {
            if anywhere.contains(word) { return true }
            if word == "token", index == words.count - 1 { return true }
            if word == "key", index > 0, keysOf.contains(words[index - 1]) { return true }
        }
        return false
    }

    static func words(of name: String) -> [String] {
        var words: [String] = []
        var current = ""
        var previousWasLower = false
        for scalar in name.unicodeScalars {
            switch scalar {
            case "_", "-", ".", " ":
                if !current.isEmpty { words.append(current) }
                current = ""
                previousWasLower = false
            case "A"..."Z":
                if previousWasLower {
                    words.append(current)
                    current = ""
                }
                current.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value) + 32))
                previousWasLower = false
            default:
                current.unicodeScalars.append(scalar)
                previousWasLower = true
            }
        }
        if !current.isEmpty { words.append(current) }
        return words
    }
}
