/// Opens sealed content while it passes, from one chunk's start to another's, and gives out the wanted part.
actor OpeningSource: BlobSource {
    private let format: SealedFormat
    private let name: BlobName
    private let sealed: any BlobSource
    private let chunks: Int
    private let plainCount: Int
    private let wanted: Range<Int>
    private var number: Int
    private var pending: [UInt8] = []

    /// - Parameter sealed: the stored bytes from chunk `first` on.
    init(
        _ sealed: any BlobSource, format: SealedFormat, name: BlobName, plainCount: Int, wanted: Range<Int>
    ) {
        self.sealed = sealed
        self.format = format
        self.name = name
        self.plainCount = plainCount
        self.wanted = wanted
        chunks = max(1, (plainCount + format.chunk - 1) / format.chunk)
        number = wanted.lowerBound / format.chunk
    }

    func next() async throws -> [UInt8]? {
        let start = number * format.chunk
        // An empty blob still has one chunk to authenticate.
        guard number < chunks, start < wanted.upperBound || (plainCount == 0 && number == 0) else { return nil }
        let isLast = number == chunks - 1
        let need = (isLast ? plainCount - start : format.chunk) + SealedFormat.tag
        while pending.count < need {
            guard let piece = try await sealed.next() else { throw BlobError.damaged(name, reason: "it ends early") }
            pending += piece
        }
        let plain = try format.open(Array(pending[..<need]), number: number, isLast: isLast, of: name)
        pending.removeFirst(need)
        number += 1
        let from = max(wanted.lowerBound - start, 0)
        let to = min(wanted.upperBound - start, plain.count)
        let part = from == 0 && to == plain.count ? plain : Array(plain[from..<to])
        return part.isEmpty ? nil : part
    }
}
