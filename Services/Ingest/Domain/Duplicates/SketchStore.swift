/// Where the sketches of items are kept outside of memory: a few kilobytes each, which are wanted again only for the few items that share a band
/// with a new one. What is kept has its place for as long as the store is there.
public protocol SketchStore: AnyObject, Sendable {
    /// Keeps hashes.
    /// - Returns: their place.
    func keep(_ hashes: [UInt32]) -> Int
    /// Hands over hashes that were kept; none where they cannot be read.
    func withHashes<Result>(at place: Int, count: Int, _ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result
    /// Makes hashes unreadable: their item was erased.
    func forget(at place: Int, count: Int)
    /// Why something could not be kept or read; nil as long as everything could. Who has judged by a store looks here before the judgement counts.
    var trouble: (any Error)? { get }
}
