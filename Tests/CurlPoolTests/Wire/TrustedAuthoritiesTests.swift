import HTTPPool
import Testing

@testable import CurlPool

@Suite("Trusted authorities, by version of libcurl")
struct TrustedAuthoritiesTests {
    private let own = PoolTLS.PEM.bytes(
        Secret(Array("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n".utf8))
    )
    private let old = LibcurlVersion(8, 16)
    private let new = LibcurlVersion(8, 17)
    private let nothingSet = { (_: String) -> String? in nil }

    @Test("Only one's own: no folder, and where libcurl would take its default then, one that holds nothing")
    func onlyOwn() throws {
        let below = try TrustedAuthorities(.only(own), version: old, environment: nothingSet)
        #expect(below.folder == nil)
        let above = try TrustedAuthorities(.only(own), version: new, environment: nothingSet)
        #expect(above.folder == "/dev/null")
        #expect(above.file?.hasPrefix("/proc/self/fd/") == true)
    }

    @Test("The system's: its bundle, and its folder of hashes where a folder cannot be helped")
    func system() throws {
        let below = try TrustedAuthorities(.system, version: old, environment: nothingSet)
        #expect(below.folder == nil)
        #expect(below.file == Libcurl.certificateBundle)
        let above = try TrustedAuthorities(.system, version: new, environment: nothingSet)
        #expect(above.folder == "/etc/ssl/certs")
        #expect(above.file != Libcurl.certificateBundle)
    }
}
