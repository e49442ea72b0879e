/* SPDX-License-Identifier: MIT */
/*
 * microsoft_roots.c - public keys of the authorities that vouch for what Microsoft signed
 *
 * Authenticode leaves roots out of its signatures, so a digest of a root would prove nothing: these
 * are whole keys, to check the certificate below with. Only keys stand here whose certificate's
 * thumbprint is the one published for it; a newer root is no failure of the image but "not known
 * here", and can be given with --roots. The SHA-256 is that of the key, to compare with other
 * lists.
 */
#include "smaudit/certificates.h"

const struct known_root microsoft_roots[] = {
	/* of 1997: Windows 2000 and XP
	 * 4462c107c485dd6a5443f5e7a1604416034a374c3f4d10875f1c3715027563af */
	{"Microsoft Root Authority",
	 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqQK9wXDmO/JOGyifl3heMOqiqY0lX/j+lUyj"
	 "t/6doiA+fFGim6KPYDJr0UJkee6sdslU2vLrnIYcj5+EZrPFa3piI9YdPN4PAZLolsS/LWaammgmmdA6"
	 "LL8MtVgmwUbnCj44liypKDmo7EmDQuOED7uabFVhrIJ8oWAtd0zpmbRkO5pQHDEIJBSfqeeRKxjmPZhj"
	 "FGBYBWWfHTdSh/en75QCxhvTv1VFs4mAvzrsVJROrv2nem10Tq8YzJYJKCEAV5BgaTe7SxIHPFb/W/uk"
	 "ZgoIptKBVlfvtjteFoF3BNr2vq6Alf6wzX/WpxpyXDzKvPAIoyIwswaFybMgdxOF3wIDAQAB"},
	/* of 2001: Windows Vista and 7
	 * df530bac9fcd914c252c2fbdceddc6183d4ae8c680ad65f03e204861dd7b1c73 */
	{"Microsoft Root Certificate Authority",
	 "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA8136gGfUWqepDCyQINA1CDx1hM23B4mcidre"
	 "zsNg+pFoWp6UcSkYdnzC4MgldpQOWPoENDbm36/3gLrpWAsrk+WdBeN3IpH3NGQ8IpEdXuEJkLwU/vx1"
	 "WBnhebcHkqOuiFkI2J8HygNY/GgpbTLX0qjLS/zhC0gyT+bruK1P5FxvE5SZ25XVdduoGreUkbR3W/VI"
	 "DI9qeX0UcAR9ba+Q9dpw2Ee3v5svbOcFt+ERYKx5kRR8xdam5OF+1cN+5ZLSPAC1NoLeeeFt87Vu+J8z"
	 "yctSfXOYNtuLoWuilZebo97CTSb/BpZnJQbI56zk7hIzlTGZyDUITjTKeVPVtb5jMllANsClTgRNPdtb"
	 "BzPkWL/vP1Nk2EJZNVf9D0V8JARNntY4dBGXIpDOaER0km/VS2+whuPHNkKg0PzBwFr5o2G5MEdxlgoW"
	 "sJHAQpXvEH8oauMqH7HkzQM/d3EExyD8SQ8dRYik18t+iK2OLexF28RRBMkq/OyGnpoRl1vezlOI5uK3"
	 "/ayVwihA2+8EkN+BMznZskWlI4cGpVWJMbsGLWAOQRh9Hy61l8sR6xXVJKWU7xUUif1Lc/oyW/zRMwD5"
	 "WWJwBzLqLqtALXvK3SFnGzCZjxaqI6hB0bBuEZs2xN5AdJzhWGXBYB56WzjIj7sEJnzUFkDltmtsqob9"
	 "AL/OwTUCAwEAAQ=="},
	/* Windows Production PCA 2011; also its time stamps
	 * c9905b0ee01202293ca026e64f08412442c5504c06e44ca7e9726d61f20e4089 */
	{"Microsoft Root Certificate Authority 2010",
	 "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAuQieKOTk7AZOUGizQcV76662jq+BuiJEH2U0"
	 "aUy+cEAX8hZ74nn9hu0NOfQbqK2SkB7LPXaPWtm1kRAuPAWNim0kVOcf7Vatg7RQnBWlF3SIWSD8CMWE"
	 "dtNo1G8oeM5cuPNQkET/42NfvqGaLJYVBNYH/h6EIeBCMRHEKDaUz1CkYp7J1qtxALJbDOaW1AoklvX/"
	 "xtW3G9fLtyFirxLcoV034xr7GkaYwJvA52MfKgiTAn4eao7ynxiJ5CKForGEV0D/9Q7Yb5zt4kUxAc0X"
	 "6X+wgUXjqiFAJqFyqqdPPAEFfu6DWLFeBmOZYpF4grcNkwwkarQb2yfsX5UEP5NKMPWXGLOn+RmnkzMd"
	 "AcjbIlJc1yXJRvmi+4dZQ76bYrGNLYZEGkaseGF+MAn6ronEQSoiZgOROUWcx4sMqMoNL/tS6gz3YzMj"
	 "nf6wH61n1qdQA8YEcGO1LLGGWkO3+675biluISFBJgaMycPusMKFk6G5hdnmMmxLTD/WXaPltZ13w5zA"
	 "Vbd0AOO4OKuDl1DhmkIkHcbAozDRGlrIUjT3c/HHGB8zrXrsy0Fg8yOUIMJIRaxcUcYugMLidxW9hYft"
	 "Np2Wke4AtaNw7J/jjYBog3a6r11wUiIW4mb7urPFwvc+L3emyt7BpsZITMM3USPTJ9e4TnCW8KFEdq94"
	 "z5rhZhMCAwEAAQ=="},
	/* Code Signing PCA 2011: products
	 * 02376d0908ac23041cc7d666d9daf192554f7fc36317aa9cb800908616b28af8 */
	{"Microsoft Root Certificate Authority 2011",
	 "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAsoBBqjU4TRNyMmgiTbiy8f/VUrxsx/XSSow2"
	 "7tHCXH6Miq6vEyhvwHPjOs7QJahaOm3vqLhZqxMjaM0MKYfRb4Bcj0R/XZABUlisUcVfKofc3NgKHcED"
	 "uXuwVuij3mRhwp7483y57A21VP5MtmVPiPCcSJkMQgsJfDFZF3kGeCiNiTpMAyW+cWpcC+eEYKSZIuPS"
	 "r4Skp/vRmO0Mqd6UieEOoNzAzpk96ghSu1Z55B+Euh64tMRJXE8xS4fd3QVnJpmA4HERo7ilQeKkU7n3"
	 "MimDDBO/Nl4Es0tDRy9r4pEe05hP3UIHyOgdEvyZqWs+kn7I1mk6/GS9tgmdyv0MC6Kbd2BLA5SkMGkS"
	 "1kItwUFMytyq/Y9bg0aa2fyx0eOzyX9Ies0k8EGPXHTQrLAQIAZJt8ctIchX49CG8wNo+9DOccGJmUpk"
	 "AWz97DCRz0E8ksfluoYdYYTHX4M5Yq60ki9H8wv4VeugH1nQu3SbHtB25vLpBtcQ6Ppk3mnGNZaIAvBG"
	 "uD8nmW/LcYkpNfdIFgI1j9V5fE0Cz1/rioNPRXGI+akNTnLpwpwHz0kbTgQOY1GMXtgAwVUstsbgwmVO"
	 "yTQ59ZyzxH7oYW4TXxXEX9l+7R3O7kTsyy6Gsew49nDtq1wTwdkPDceAslXtNPesm+TD2udHPKa1jzHf"
	 "xUuv6/ECAwEAAQ=="},
	/* no root, but pinned: what boots others under Secure Boot
	 * 2c627ccbb690409550ad6e2d46a03eb10aa6d62d272a5dc3c86a8863ae19b2bb */
	{"Microsoft Corporation UEFI CA 2011",
	 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApQhsTMdFCWpLDKTAh38GdQxDAVRk4BZ/B+2S"
	 "fQuyc78MCsZKRWGgxRYtltP1K6D7TUmbQYCQPLlU/ea80Z3EpBiKf0GKXFmDaDK7jEfJ7nG8IU+ainz/"
	 "RD+NjzKyJkiudbXuyUweShl+5IKaHXh3TQywvfYP0xbTvPorpVE4XfX7utt4Atv/7AobltWDuBkT6bbA"
	 "e0B74R8oJ8n671ZeHOZ+lH7A8ESyeTnl2rJii02/OHDiaCQUyTOkCDfVWGle03ztwQRTCOdOsCqHYwhh"
	 "b2MVWeqyK3nXDGFnilv9Xq2Hf7qGZ09xWBIiBCIizovvVHEAzlA1WHaVCO5qsaIB1QIDAQAB"},
};
const unsigned microsoft_root_count = sizeof(microsoft_roots) / sizeof(*microsoft_roots);
