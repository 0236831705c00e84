import Foundation

/// What people read: results on standard output, the rest on standard error.
enum Terminal {
    /// A line on standard output.
    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// An error, on standard error.
    static func error(_ text: String) { FileHandle.standardError.write(Data(("openledger: " + text + "\n").utf8)) }

    /// Something worth knowing meanwhile, on standard error.
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
