/// RFC 8785 §3.2.3 sorts keys by UTF-16 code units. In UTF-8 the order is the same but for one thing: characters beyond
/// U+FFFF (lead bytes F0…) come before U+E000…U+FFFF (lead bytes EE, EF), because their surrogates are smaller.
@inline(__always)
func canonicallyPrecedes(_ a: UInt8, _ b: UInt8) -> Bool {
    if a >= 0xee && b >= 0xee && (a >= 0xf0) != (b >= 0xf0) { return a >= 0xf0 }
    return a < b
}

/// Whether the key comes strictly before the other.
func canonicallyPrecedes(_ a: String, _ b: String) -> Bool {
    var x = a.utf8.makeIterator(), y = b.utf8.makeIterator()
    while true {
        guard let q = y.next() else { return false }
        guard let p = x.next() else { return true }
        if p != q { return canonicallyPrecedes(p, q) }
    }
}

/// The members in canonical order; not copied when they are in it already, as written events are.
func inCanonicalOrder(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
    for index in members.indices.dropFirst() where !canonicallyPrecedes(members[index - 1].key, members[index].key) {
        return members.sorted { canonicallyPrecedes($0.key, $1.key) }
    }
    return members
}

/// Byte-wise: Swift's own `==` on strings holds canonically equivalent ones to be one.
@inline(__always)
func sameBytes(_ a: String, _ b: String) -> Bool {
    let count = a.utf8.count
    guard count == b.utf8.count else { return false }
    let isSame = a.utf8.withContiguousStorageIfAvailable { left in
        b.utf8.withContiguousStorageIfAvailable { right in
            for index in 0..<count where left[index] != right[index] { return false }
            return true
        } ?? left.elementsEqual(b.utf8)
    }
    return isSame ?? a.utf8.elementsEqual(b.utf8)
}
