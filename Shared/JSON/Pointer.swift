/// The JSON Pointer (RFC 6901) of the value at an offset, for a text whose bytes before it were found to be sound.
/// - Parameter including: whether a key that starts at the offset belongs to the pointer.
func pointerTo(_ offset: Int, in bytes: [UInt8], including key: Bool) -> String {
    struct Level {
        let isObject: Bool
        var index = 0
        var key: Range<Int>?
    }
    var levels: [Level] = []
    let end = min(key ? offset + 1 : offset, bytes.count)
    var at = 0
    while at < end {
        switch bytes[at] {
        case UInt8(ascii: "{"): levels.append(Level(isObject: true))
        case UInt8(ascii: "["): levels.append(Level(isObject: false))
        case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
        case UInt8(ascii: ","):
            if let last = levels.indices.last {
                levels[last].index += 1
                levels[last].key = nil
            }
        case UInt8(ascii: "\""):
            let start = at + 1
            at = start
            while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
            // A key only once it is whole: one with a fault inside has no name yet.
            if let last = levels.indices.last, levels[last].isObject, levels[last].key == nil, at < end || key && start == end {
                levels[last].key = start..<min(at, bytes.count)
            }
        default: break
        }
        at += 1
    }
    return levels.reduce(into: "") { text, level in
        if let key = level.key {
            text += "/" + escapedForPointer(unescaped(bytes, key))
        } else if !level.isObject {
            text += "/\(level.index)"
        }
    }
}

/// RFC 6901 §3: `~` becomes `~0`, `/` becomes `~1`.
func escapedForPointer(_ key: String) -> String {
    var out = ""
    for scalar in key.unicodeScalars {
        switch scalar {
        case "~": out += "~0"
        case "/": out += "~1"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}

private func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> String {
    bytes.withUnsafeBufferPointer { Scanner($0).string(Scanner.Text(range: range, isEscaped: true)) }
}
