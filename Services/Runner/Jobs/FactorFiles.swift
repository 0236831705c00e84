internal import Foundation

/// The factors of attribution rows as they are handed in beside them: one safetensors file, cut into pieces that training takes.
enum FactorFiles {
    /// Bytes of a piece; half of what training takes.
    static let largest = 256 << 20
    /// Pieces at most: a manifest names 64 files, the rows and their table among them.
    static let most = 64 - RowFiles.most - 1
    /// Bytes of all pieces.
    static let all = most * largest

    /// The pieces of a file, in order.
    static func pieces(_ file: [UInt8], largest: Int = FactorFiles.largest) -> [(String, [UInt8])] {
        // Most have one, which is not copied.
        if file.count <= largest { return [(name(0), file)] }
        return stride(from: 0, to: max(1, file.count), by: largest).enumerated().map { number, start in
            (name(number), Array(file[start..<min(start + largest, file.count)]))
        }
    }

    /// The name of a piece by its number, from 0: `factors.safetensors`, `factors-1.safetensors` and so on.
    static func name(_ number: Int) -> String { number == 0 ? "factors.safetensors" : "factors-\(number).safetensors" }

    /// Joins the pieces in a folder into the first. Blocks.
    static func join(in folder: String) throws {
        var number = 1
        guard FileManager.default.fileExists(atPath: folder + "/" + name(number)) else { return }
        let first = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/" + name(0)))
        defer { try? first.close() }
        _ = try first.seekToEnd()
        while let piece = FileManager.default.contents(atPath: folder + "/" + name(number)) {
            try first.write(contentsOf: piece)
            try FileManager.default.removeItem(atPath: folder + "/" + name(number))
            number += 1
        }
    }
}
