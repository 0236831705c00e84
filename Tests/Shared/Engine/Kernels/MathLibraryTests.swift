import Crypto
import Glibc
import Testing

@testable import Engine

/// What a repeat byte for byte needs of the system's functions, and what it does not.
@Suite struct MathLibraryTests {
    @Test func itNamesTheLibraryAndGivesTheSameEveryTime() {
        #expect(MathLibrary.name.hasPrefix("glibc "))
        #expect(MathLibrary.digest == MathLibrary.digest(of: MathLibrary.Functions()))
    }

    /// Functions that differ in the last place of a double round to the same floats: nobody is told that such a machine can't repeat a job.
    @Test func aLastPlaceThatNoFloatShowsIsNoDifference() {
        var other = MathLibrary.Functions()
        other.sine = { sin($0).nextUp }
        other.power = { pow($0, $1).nextUp }
        #expect(MathLibrary.digest(of: other) == MathLibrary.digest)
    }

    @Test(arguments: 0..<7) func functionsThatGiveOtherFloatsAreOthers(_ number: Int) {
        var other = MathLibrary.Functions()
        let off = 1 + 1e-6
        switch number {
        case 0: other.power = { pow($0, $1) * off }
        case 1: other.cosine = { cos($0) * off }
        case 2: other.sine = { sin($0) * off }
        case 3: other.logarithm = { log($0) * off }
        case 4: other.singlePower = { powf($0, $1).nextUp }
        case 5: other.singleExponential = { expf($0).nextUp }
        default: other.singleLogarithm = { (log($0) as Float).nextUp }
        }
        #expect(MathLibrary.digest(of: other) != MathLibrary.digest)
    }
}
