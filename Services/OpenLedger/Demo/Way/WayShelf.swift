import EventLog
import Foundation

/// Where the story puts what a stranger would take away: each payee's receipts, and a copy of the log with its evidence.
struct WayShelf: Sendable {
    let path: String
    /// Whether it outlives the demo.
    let isKept: Bool
    var bundle: String { path + "/bundle" }
    var receipts: String { path + "/receipts" }

    private var key: String { path + "/log.key" }

    /// How to check it.
    var advice: String { "openledger audit \(bundle) --key-file \(key)" }

    /// Puts the log's key there.
    func keep(key log: VerifierKey) throws { try Data("\(log)\n".utf8).write(to: URL(fileURLWithPath: key)) }

    /// Puts a receipt there.
    func keep(receipt: [UInt8], of payee: String, for settlement: String) throws {
        try FileManager.default.createDirectory(atPath: receipts, withIntermediateDirectories: true)
        let name = "\(settlement)-\(payee.replacingOccurrences(of: ":", with: "-")).json"
        try Data(receipt).write(to: URL(fileURLWithPath: receipts + "/" + name), options: .atomic)
    }
}
