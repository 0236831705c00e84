/// Phrases of the frame of web pages and of machines that decline.
enum Boilerplate {
    static let phrases = [
        "all rights reserved", "cookie policy", "privacy policy", "terms of service", "terms of use", "accept all cookies",
        "we use cookies", "subscribe to our newsletter", "sign up for our newsletter", "click here to", "share on facebook",
        "share on twitter", "follow us on", "skip to main content", "skip to content", "back to top", "add to cart",
        "forgot your password", "log in to your account", "javascript is disabled", "enable javascript", "page not found",
        "lorem ipsum dolor", "as an ai language model", "i cannot assist with", "powered by wordpress", "read more »", "leave a comment",
        "related articles", "advertisement", "unsubscribe at any time", "this website uses",
    ]

    private static let set = PatternSet(phrases.map { "(?i)" + $0.replacing(" ", with: #"\s+"#) })

    /// How many different phrases occur.
    static func count(in text: [UInt8]) -> Int { set?.occurring(in: text).count ?? 0 }
}
