import HTTPPool
import Testing

@testable import CurlPool

@Suite("Versions of libcurl")
struct LibcurlVersionTests {
    @Test("A version outside of those that were tested is one to be careful with")
    func caution() {
        #expect(LibcurlVersion(7, 88, 1).caution == nil)
        #expect(LibcurlVersion(8, 14, 1).caution == nil)
        #expect(LibcurlVersion(8, 21).caution == nil)
        #expect(LibcurlVersion(7, 87).caution == "libcurl 7.87.0 was not tested; 7.88.1 to 8.21.0 were")
        #expect(LibcurlVersion(8, 21, 1).caution == "libcurl 8.21.1 was not tested; 7.88.1 to 8.21.0 were")
    }

    @Test("The version is read from the library that is loaded")
    func loaded() {
        #expect(Libcurl.backend?.library == "libcurl/\(LibcurlVersion.loaded)")
    }
}
