/// Seals pieces of any size into the stored form while they pass.
actor SealingSource: BlobSource {
    private let format: SealedFormat
    private let plain: any BlobSource
    private var pending: [UInt8] = []
    private var number = 0
    private var state = State.head

    private enum State { case head, body, done }

    init(_ plain: any BlobSource, format: SealedFormat) {
        self.plain = plain
        self.format = format
    }

    func next() async throws -> [UInt8]? {
        switch state {
        case .head:
            state = .body
            return format.head
        case .body:
            // One byte more than a chunk is needed to know that a chunk is not the last.
            while pending.count <= format.chunk {
                guard let piece = try await plain.next() else {
                    state = .done
                    return Array(try format.seal(pending, number: number, isLast: true))
                }
                pending += piece
            }
            var sealed: [UInt8] = []
            var start = 0
            while pending.count - start > format.chunk {
                sealed += try format.seal(Array(pending[start..<start + format.chunk]), number: number, isLast: false)
                number += 1
                start += format.chunk
            }
            pending.removeFirst(start)
            return sealed
        case .done:
            return nil
        }
    }
}
