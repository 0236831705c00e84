/// The sketches of items by their number: in memory, or in a store with twelve bytes each in memory.
struct Sketches: Sendable {
    private struct Place {
        var start: UInt64
        var count: UInt32
    }

    private let store: (any SketchStore)?
    private var inMemory: [Shingles] = []
    private var places: [Place] = []
    /// Hashes that are in memory.
    private var hashes = 0

    init(_ store: (any SketchStore)?) { self.store = store }

    /// About how many bytes of memory they take.
    var bytes: Int { hashes * MemoryLayout<UInt32>.stride + places.count * MemoryLayout<Place>.stride + inMemory.count * 40 }

    /// See ``SketchStore/trouble``.
    var trouble: (any Error)? { store?.trouble }

    mutating func append(_ sketch: Shingles) {
        if let store {
            let start = sketch.hashes.isEmpty ? 0 : store.keep(sketch.hashes)
            places.append(Place(start: UInt64(start), count: UInt32(sketch.hashes.count)))
        } else {
            inMemory.append(sketch)
            hashes += sketch.hashes.count
        }
    }

    mutating func remove(_ number: Int) {
        if let store {
            store.forget(at: Int(places[number].start), count: Int(places[number].count))
            places[number].count = 0
        } else {
            hashes -= inMemory[number].hashes.count
            inMemory[number] = Shingles([])
        }
    }

    /// The resemblance of an item to another text in thousandths.
    func resemblance(_ number: Int, _ candidate: Shingles) -> Int {
        guard let store else { return inMemory[number].resemblance(candidate) }
        let place = places[number]
        return store.withHashes(at: Int(place.start), count: Int(place.count)) { kept in
            candidate.hashes.withUnsafeBufferPointer { Shingles.resemblance(kept, $0) }
        }
    }
}
