/// Well-formed UTF-8, looked at character by character.
struct TextCursor {
    let bytes: UnsafeBufferPointer<UInt8>

    var count: Int { bytes.count }

    subscript(index: Int) -> UInt8 { bytes[index] }

    /// The class of the character that begins there, and how many bytes it has.
    @inline(__always)
    func character(at index: Int) -> (class: CharacterClass, length: Int) {
        let lead = bytes[index]
        if lead < 0x80 { return (CharacterClass.of(UInt32(lead)), 1) }
        if lead < 0xe0 { return (CharacterClass.of(UInt32(lead & 0x1f) << 6 | tail(index + 1)), 2) }
        if lead < 0xf0 { return (CharacterClass.of(UInt32(lead & 0x0f) << 12 | tail(index + 1) << 6 | tail(index + 2)), 3) }
        return (
            CharacterClass.of(UInt32(lead & 0x07) << 18 | tail(index + 1) << 12 | tail(index + 2) << 6 | tail(index + 3)), 4
        )
    }

    private func tail(_ index: Int) -> UInt32 { UInt32(bytes[index] & 0x3f) }

    /// The end of the run of characters of a class that begins at `index`, at most so many of them.
    @inline(__always)
    func endOfRun(_ wanted: CharacterClass, from index: Int, atMost limit: Int = .max) -> Int {
        var at = index, count = 0
        while at < bytes.count, count < limit {
            let (found, length) = character(at: at)
            guard found == wanted else { break }
            at += length
            count += 1
        }
        return at
    }
}
