internal import Crypto

/// Which items are held out to measure with.
public enum HeldOut {
    /// By the item's id, so that the same item is held out in every run and on every machine.
    /// - Parameter share: items in a hundred.
    public static func has(_ item: String, share: Int) -> Bool {
        Int(SHA256.hash(utf8: "holdout\n" + item).bytes[0]) * 100 < share * 256
    }
}
