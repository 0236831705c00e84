import Engine
import Foundation
import TestSupport
import Testing

/// The safetensors package and ours read each other.
struct SafeTensorsInteropTests {
    @Test(.enabled(if: EngineInterop.has("safetensors.numpy"), "needs OPENLEDGER_TEST_PYTHON, a Python with safetensors and numpy"))
    func `the safetensors package reads our file, and what it writes of it we read`() throws {
        let folder = try TemporaryFolder("safetensors")
        let tensors = [
            TensorContent(name: "single", shape: [3, 4], float32: (0..<12).map { Float($0) / 8 }),
            TensorContent(name: "half", shape: [4], float16: [0, -0.5, 65504, 6e-8]),
            TensorContent(name: "small", shape: [1, 2], int8: [-128, 127]),
        ]
        try SafeTensorsWriter.write(tensors, metadata: ["format": "pt"], to: folder.path("ours"))
        try EngineInterop.script("safetensors_agreement.py", [folder.path("ours"), folder.path("theirs")])
        let ours = try SafeTensors(path: folder.path("ours")), theirs = try SafeTensors(path: folder.path("theirs"))
        #expect(ours.tensors == theirs.tensors && ours.metadata == theirs.metadata)
        for info in ours.tensors { #expect(try ours.tensor(info.name)?.floats() == theirs.tensor(info.name)?.floats()) }
    }
}
