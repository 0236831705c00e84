/// Ids of items: `<contribution>.<number>`, numbered from 1 in the order of the upload, refused rows included.
public enum ItemID {
    /// The id of an item.
    public static func make(_ contribution: String, _ number: Int) -> String { "\(contribution).\(number)" }

    /// The contribution and the number; nil when it is no item's id.
    public static func parts(_ id: String) -> (contribution: String, number: Int)? {
        guard let point = id.lastIndex(of: "."), let number = Int(id[id.index(after: point)...]), number > 0,
            make(String(id[..<point]), number) == id, point != id.startIndex
        else { return nil }
        return (String(id[..<point]), number)
    }
}
