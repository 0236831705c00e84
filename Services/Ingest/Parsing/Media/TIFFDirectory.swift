/// The first directory of a TIFF file (TIFF 6.0, section 2). It stands wherever the file's head says, mostly behind the image.
struct TIFFDirectory {
    private static let most = 200

    private let bytes: FileSample
    private let isLittle: Bool
    /// Where it stands.
    let place: Int

    /// Nil for a file that is no TIFF.
    init?(_ bytes: FileSample) {
        isLittle = bytes.starts([0x49, 0x49, 0x2a, 0])
        guard isLittle || bytes.starts([0x4d, 0x4d, 0, 0x2a]) else { return nil }
        guard let place = isLittle ? bytes.little(4, 4) : bytes.big(4, 4) else { return nil }
        self.bytes = bytes
        self.place = place
    }

    /// The bytes that have to be seen to read it.
    var range: Range<Int> { min(place, bytes.count)..<min(place + 6 + 12 * Self.most, bytes.count) }

    /// Whether it was seen, and does not end beyond the file.
    var isReadable: Bool {
        guard let entries = number(place, 2) else { return false }
        // Behind the fields stands the place of the next directory.
        return number(place + 2 + 12 * min(entries, Self.most), 4) != nil
    }

    /// The last value of a field, 0 when it has several that were not seen; nil when there is no such field.
    func value(_ tag: Int) -> Int? {
        guard let entries = number(place, 2) else { return nil }
        for entry in 0..<min(entries, Self.most) {
            let field = place + 2 + 12 * entry
            guard let found = number(field, 2), let kind = number(field + 2, 2), let count = number(field + 4, 4) else { return nil }
            guard found == tag else { continue }
            let size = kind == 3 ? 2 : 4
            guard count > 4 / size else { return count == 0 ? nil : number(field + 8 + size * (count - 1), size) }
            return number(field + 8, 4).flatMap { number($0 + size * (count - 1), size) } ?? 0
        }
        return nil
    }

    /// How far into the file its strips or tiles go.
    var end: Int {
        let offset = value(273) ?? value(324) ?? 0
        return offset + (value(279) ?? value(325) ?? 0)
    }

    private func number(_ place: Int, _ count: Int) -> Int? { isLittle ? bytes.little(place, count) : bytes.big(place, count) }
}
