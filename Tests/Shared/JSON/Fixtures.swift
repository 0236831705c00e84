import Foundation
import Testing

/// Vectors made by independent programs, too large to stand here. `OPENLEDGER_TEST_FIXTURES` names their folder.
enum Fixtures {
    static let missing: Comment = "OPENLEDGER_TEST_FIXTURES does not name a folder with crypto/jcs.in: vectors not compared"

    static func lines(_ name: String) throws -> [[UInt8]] {
        let folder = try #require(ProcessInfo.processInfo.environment["OPENLEDGER_TEST_FIXTURES"])
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/crypto/" + name))
        return data.split(separator: 0x0a).map { [UInt8]($0) }
    }

    static var arePresent: Bool {
        guard let folder = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_FIXTURES"] else { return false }
        return FileManager.default.isReadableFile(atPath: folder + "/crypto/jcs.in")
    }
}
