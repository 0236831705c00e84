import Crypto
import Foundation

@testable import CorpusIndex

/// A folder that goes away with the test.
final class ScratchFolder: Sendable {
    let path: String
    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-index-\(UUID().uuidString)").path
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

func root(_ name: String) -> Digest { SHA256.hash(utf8: name) }

func item(_ id: String, _ text: String) -> CorpusItem { CorpusItem(id: id, text: Array(text.utf8)) }
