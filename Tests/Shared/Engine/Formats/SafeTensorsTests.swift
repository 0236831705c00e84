import Engine
import Foundation
import TestSupport
import Testing

/// Safetensors files: what is written is read, and what is broken or hostile is refused.
struct SafeTensorsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("safetensors") }

    private func open(_ bytes: [UInt8], limits: SafeTensorsLimits = .standard) throws -> SafeTensors {
        let path = folder.path("\(UUID().uuidString).safetensors")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try SafeTensors(path: path, limits: limits)
    }

    private func file(_ header: String, data: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + [UInt8](repeating: 1, count: data)
    }

    @Test func `tensors of all readable types come back, with their texts`() throws {
        let floats: [Float] = [0, -0.0, 1.5, -2.25, .infinity, 65_504]
        let bytes = try SafeTensorsWriter.bytes(
            [
                TensorContent(name: "single", shape: [2, 3], float32: floats),
                TensorContent(name: "half", shape: [6], float16: floats),
                TensorContent(name: "brain", shape: [3, 2], bfloat16: [0, -0.0, 1.5, -2.25, .infinity, 65_536]),
                TensorContent(name: "small", shape: [3], int8: [-128, 0, 127]),
                TensorContent(name: "none", shape: [0, 4], float32: []),
            ], metadata: ["b": "\u{1}\"ü", "a": ""])
        let file = try open(bytes)
        #expect(file.metadata == ["b": "\u{1}\"ü", "a": ""])
        #expect(try file.tensor("single")?.floats(shape: [2, 3]).map(\.bitPattern) == floats.map(\.bitPattern))
        #expect(try file.tensor("half")?.floats() == floats)
        #expect(try file.tensor("brain")?.floats() == [0, -0.0, 1.5, -2.25, .infinity, 65_536])
        #expect(try file.tensor("small")?.floats() == [-128, 0, 127])
        #expect(try file.tensor("none")?.floats() == [])
        #expect(file.tensor("absent") == nil)
        #expect(throws: FormatError.self) { try file.tensor("single")?.floats(shape: [3, 2]) }
    }

    @Test func `the same tensors give the same bytes in whatever order, every number aligned`() throws {
        var random = Seed.generator()
        for _ in 0..<20 {
            let tensors = (0..<Int.random(in: 1...12, using: &random)).map { index in
                let count = Int.random(in: 0...9, using: &random)
                return switch Int.random(in: 0...2, using: &random) {
                case 0: TensorContent(name: "t\(index)", shape: [count], int8: [Int8](repeating: 1, count: count))
                case 1: TensorContent(name: "t\(index)", shape: [count], float16: [Float](repeating: 1, count: count))
                default: TensorContent(name: "t\(index)", shape: [count, 1], float32: [Float](repeating: 1, count: count))
                }
            }
            let bytes = try SafeTensorsWriter.bytes(tensors, metadata: ["x": "1", "y": "2"])
            #expect(try SafeTensorsWriter.bytes(tensors.shuffled(using: &random), metadata: ["y": "2", "x": "1"]) == bytes)
            let file = try open(bytes)
            let header = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
            for info in file.tensors { #expect((8 + header + info.range.lowerBound) % info.type.size == 0) }
        }
    }

    @Test(
        arguments: [
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7, "beyond"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9, "belong to no tensor"),
            (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, "has 12 bytes"),
            (#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}"#, 8, "has 4 bytes"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8, "before they begin"),
            (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "negative"),
            (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "too large"),
            (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4, "dimensions"),
            (#"{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}"#, 8, "Q4"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "already"),
            (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "twice"),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, 6,
                "within another"
            ),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#, 12, "hole"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "hole"),
            (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "needs dtype"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, 4, "unknown"),
            (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "integer"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}"#, 4, "integer"),
            (#"{"__metadata__":{"a":1}}"#, 0, "string"),
            (#"{"__metadata__":{"a":"1","a":"2"}}"#, 0, "twice"),
            (#"["a"]"#, 0, "does not begin"),
            (#"{"a":"#, 0, "ends too early"),
            (#"{} x"#, 0, "follows"),
        ])
    func `a hostile header is refused with its reason`(header: String, data: Int, reason: String) throws {
        let error = #expect(throws: FormatError.self) { try open(file(header, data: data)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `a header longer than the file or the limit is refused before it is read`() throws {
        for length in [UInt64.max, 1 << 63, 1 << 40, 100] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
            #expect(throws: FormatError.self) { try open(bytes) }
        }
        #expect(throws: FormatError.self) { try open([]) }
        #expect(throws: FormatError.self) { try open([1, 2, 3]) }
        let three = #"{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}"#
        #expect(throws: FormatError.self) { try open(file(three, data: 0), limits: SafeTensorsLimits(tensors: 1)) }
        #expect(throws: FormatError.self) { try open(file(three, data: 0), limits: SafeTensorsLimits(headerBytes: 50)) }
        #expect(try open(file(three, data: 0)).tensors.count == 2)
    }

    @Test func `a mutated file is refused or read within its bounds`() throws {
        var random = Seed.generator()
        let sound = try SafeTensorsWriter.bytes(
            [
                TensorContent(name: "a", shape: [2, 2], float32: [1, 2, 3, 4]),
                TensorContent(name: "b", shape: [4], bfloat16: [1, 2, 3, 4]),
                TensorContent(name: "c", shape: [3], int8: [1, 2, 3]),
            ], metadata: ["k": "v"])
        var read = 0
        for _ in 0..<1_500 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
                case 2: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: bytes.indices, using: &random)], at: place)
                }
            }
            do {
                let file = try open(bytes)
                for info in file.tensors where info.type.isReadable {
                    #expect(try file.tensor(info.name)?.floats().count == info.count)
                }
                read += 1
            } catch let error as FormatError {
                #expect(!error.reason.isEmpty)
            }
        }
        // Some mutations hit the numbers or a name only: those files are sound.
        #expect(read > 0, "seed \(random.seed)")
    }

    @Test func `a sharded model is read by its index, and one that lies is refused`() throws {
        let one = try SafeTensorsWriter.bytes([TensorContent(name: "a", shape: [1], float32: [1])])
        let two = try SafeTensorsWriter.bytes([TensorContent(name: "b", shape: [2], float32: [2, 3])])
        try Data(one).write(to: URL(fileURLWithPath: folder.path("model-1.safetensors")))
        try Data(two).write(to: URL(fileURLWithPath: folder.path("model-2.safetensors")))
        func index(_ map: String) throws -> ModelWeights {
            try folder.write(#"{"metadata":{"total_size":12},"weight_map":\#(map)}"#, to: "model.safetensors.index.json")
            return try ModelWeights(folder: folder.path)
        }
        let model = try index(#"{"a":"model-1.safetensors","b":"model-2.safetensors"}"#)
        #expect(try model.tensor("b", shape: [2]).floats() == [2, 3])
        #expect(throws: FormatError.self) { try model.tensor("c", shape: [1]) }
        for map in [
            #"{"a":"model-2.safetensors","b":"model-2.safetensors"}"#,
            #"{"a":"model-1.safetensors","b":"../model-2.safetensors"}"#, #"{"a":"model-1.safetensors","b":"/etc/passwd"}"#,
            #"{"a":"model-1.safetensors","b":"model-3.safetensors"}"#, #"{"a":"model-1.safetensors","a":"model-1.safetensors"}"#, "{}",
            "[]",
        ] {
            #expect(throws: FormatError.self, "\(map)") { try index(map) }
        }
    }

    @Test func `a folder without weights says which formats are read`() throws {
        let error = #expect(throws: FormatError.self) { try ModelWeights(folder: folder.path) }
        #expect(error?.kind == .missing && error?.reason.contains("model.safetensors") == true)
    }
}
