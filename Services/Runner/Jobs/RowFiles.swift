/// Attribution rows one after another, in as many files as they need: training takes none of any size.
///
/// A row's place is counted over all files as if they were one; none lies in two.
struct RowFiles: Sendable {
    /// In order: `rows.bin`, `rows-1.bin`, `rows-2.bin` and so on.
    private(set) var files: [(String, [UInt8])] = [("rows.bin", [])]
    /// Bytes of all rows.
    private(set) var count = 0
    private let largest: Int

    /// Bytes of a file; a quarter of what training takes.
    static let largest = 128 << 20
    /// Files of rows in an artefact: attribution takes no more bytes than they have, and its manifest names 64 with the table and the factors.
    static let most = 36

    init(largest: Int = RowFiles.largest) { self.largest = largest }

    mutating func add(_ row: [UInt8]) {
        if let last = files.last, !last.1.isEmpty, last.1.count + row.count > largest {
            files.append((RowFiles.name(files.count), []))
        }
        files[files.count - 1].1 += row
        count += row.count
    }

    /// The name of a file by its number, from 0.
    static func name(_ number: Int) -> String { number == 0 ? "rows.bin" : "rows-\(number).bin" }
}
