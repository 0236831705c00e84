import Foundation
import Glibc
import Testing

@testable import CorpusIndex

@Suite struct CheckedFilesTests {
    private func write(_ text: String, to path: String, writtenBefore seconds: Int?) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        guard let seconds else { return }
        var times = [timespec](repeating: timespec(tv_sec: Glibc.time(nil) - seconds, tv_nsec: 0), count: 2)
        try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
    }

    @Test func aFileIsReadAgainOnceItWasWrittenAgain() throws {
        let scratch = ScratchFolder()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        let path = scratch.path + "/file"
        let checked = CheckedFiles()
        func digest() throws -> Bool {
            try checked.digest(of: MappedFile(path: path))
                == root(String(decoding: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self))
        }
        try write("one", to: path, writtenBefore: 60)
        #expect(try digest() && digest())
        try write("two", to: path, writtenBefore: nil)
        #expect(try digest())
        try write("six", to: path, writtenBefore: 59)
        #expect(try digest())
        // What tells that it was written again is when: nobody else writes there, and the disk is asked once.
        try write("ten", to: path, writtenBefore: 59)
        #expect(try checked.digest(of: MappedFile(path: path)) == root("six"))
    }

    @Test func whatWasWrittenJustNowIsNotRemembered() throws {
        let scratch = ScratchFolder()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        let path = scratch.path + "/file"
        let checked = CheckedFiles()
        for text in ["one", "two"] {
            // In the future, so that no load makes it old.
            try write(text, to: path, writtenBefore: -1_000)
            #expect(try checked.digest(of: MappedFile(path: path)) == root(text))
        }
    }
}
