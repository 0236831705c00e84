internal import Foundation

/// Whether a webhook may be sent to an address: only outside the house, so that nobody makes a service call its neighbours.
public enum WebhookAddress {
    /// Why it may not; nil when it may.
    /// - Parameter allowsPlain: whether http and addresses of this machine are let through, for trying things out.
    public static func refusal(_ text: String, allowsPlain: Bool) -> String? {
        guard text.utf8.count <= 2_000, let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host,
            !host.isEmpty
        else { return "must be a URL of at most 2,000 bytes" }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else { return "must have no user, password or fragment" }
        if allowsPlain, scheme == "http" || scheme == "https" { return nil }
        guard scheme == "https" else { return "must begin with https://" }
        // Names only: what an address in numbers points to is not the owner's to say. Where a name leads is seen when it is called.
        let isNumeric = host.contains(":") || host.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." } || host.hasPrefix("0x")
        guard !isNumeric, host.contains("."), !host.hasSuffix(".local"), !host.hasSuffix(".internal"), !host.hasSuffix(".localhost") else {
            return "must name a public host"
        }
        return nil
    }
}
