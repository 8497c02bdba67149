/*
 * Certificates whose keys GnuTLS can neither make nor write as they were, and
 * the SHA-256 of their SubjectPublicKeyInfo.  Each was made by
 *	openssl genpkey ... ; openssl req -x509 -subj /CN=odd
 * and the digest by
 *	openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER |
 *	    openssl sha256
 * Their dates do not matter to usage 3.
 */
#ifndef PKI_ODD_H
#define PKI_ODD_H

static const struct pki_odd {
	const char *what, *spki, *pem;
} pki_odd[] = {
	{ "secp256k1",
	    "adeb131dfc90b2bdba7866bb8f03ad79"
	    "741847305baa0c828fa8b5daee97b197",
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIIBizCCATGgAwIBAgIUKMXwEvLWawpPJ4sxIxwbLyM+lA4wCgYIKoZIzj0EAwIw\n"
	    "DjEMMAoGA1UEAwwDb2RkMB4XDTI2MTEyNDEzMDEzNloXDTI2MTEyNTEzMDEzNlow\n"
	    "DjEMMAoGA1UEAwwDb2RkMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEpvhbl+ZR2ArK\n"
	    "NL0wyT2utll132oBK++b1vpRD1krbpKxzxKeSKrwql+eAinE4pylgqQNYHLlOh7h\n"
	    "N7OwwveQT6NwMG4wHQYDVR0OBBYEFKrlAnd+RXJJL9wVD++4oRov1B7jMB8GA1Ud\n"
	    "IwQYMBaAFKrlAnd+RXJJL9wVD++4oRov1B7jMA8GA1UdEwEB/wQFMAMBAf8wGwYD\n"
	    "VR0RBBQwEoIQbWFpbC5leGFtcGxlLm9yZzAKBggqhkjOPQQDAgNIADBFAiBED05t\n"
	    "UzU0ocQIfKfEcHXp633FNYQEDZ09zCDQeu52xQIhAIiu5ELrVGTglTc//a8o8ku2\n"
	    "sO+E0A/FqgJnuky4irl4\n"
	    "-----END CERTIFICATE-----\n"
	},
	{ "explicit parameters of a curve",
	    "5eaf78e7b978e08ef29245ba6267d313"
	    "7f988d9d5692cfeb0848159c916e9f7e",
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIICgjCCAiigAwIBAgIUKa5BsVdcvA/m2ncHnrMUIl+1JW0wCgYIKoZIzj0EAwIw\n"
	    "DjEMMAoGA1UEAwwDb2RkMB4XDTI2MTEyNDEzMDEzNloXDTI2MTEyNTEzMDEzNlow\n"
	    "DjEMMAoGA1UEAwwDb2RkMIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0B\n"
	    "AQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAAB\n"
	    "AAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxT\n"
	    "sPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vObl\n"
	    "Y6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBo\n"
	    "N79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABNfY\n"
	    "+Utv7kUBTuAahxJa9b69RAgh67YGR/K7Fb9Rsc9lXHcT9eFvx5sY9ESP2KaSEXs4\n"
	    "sanQ173nBCgHMMRT2E+jcDBuMB0GA1UdDgQWBBRYRdIzS7bTftTcSA6YI1Q30nNk\n"
	    "MzAfBgNVHSMEGDAWgBRYRdIzS7bTftTcSA6YI1Q30nNkMzAPBgNVHRMBAf8EBTAD\n"
	    "AQH/MBsGA1UdEQQUMBKCEG1haWwuZXhhbXBsZS5vcmcwCgYIKoZIzj0EAwIDSAAw\n"
	    "RQIgBxqsEnef8iIiRdNd+lYIAOVwVPmEQAyzyNpsYOtdrIsCIQDqpDEt+9sTD2Uq\n"
	    "RIYlkU9lBmSXPDK0g6e+k9LrSPAtBQ==\n"
	    "-----END CERTIFICATE-----\n"
	},
	{ "RSA-PSS with parameters",
	    "903b09e7c80eba100116cce8dc34f580"
	    "d13f32031caeaf85e74f93d28f4f8dd1",
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIIDtjCCAmqgAwIBAgIUSaD7zq1qv6yYQPTwCCjDfRNDTlcwQQYJKoZIhvcNAQEK\n"
	    "MDSgDzANBglghkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgEF\n"
	    "AKIDAgEgMA4xDDAKBgNVBAMMA29kZDAeFw0yNjExMjQxMzAxMzdaFw0yNjExMjUx\n"
	    "MzAxMzdaMA4xDDAKBgNVBAMMA29kZDCCAVYwQQYJKoZIhvcNAQEKMDSgDzANBglg\n"
	    "hkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgEFAKIDAgEgA4IB\n"
	    "DwAwggEKAoIBAQDd+itZtaRnP9iT+dmmssL2is8/8H5e/I6A58BfxNlcUDLFr8LJ\n"
	    "VoIf4C16ajbEmRWsmJ2q4pH8mhQbp46uD8XMd62o7+bCnyNmCwVUz3QFo81ABDqt\n"
	    "tC3P6e2xepG+dmwhQ30mR6Q9f1VS19IDjJh83svmW2f5f/DF0dRkL9A08bMOpKUL\n"
	    "AN2TH1A9tnC09HagH12l1eDrML6wqtePRQHqm+yWMptC1FaLz1Lqn8hzDM9Kqh7d\n"
	    "mPnd7v5gIHIiSJmA/RFZ//nXJy4aLt/nHXDX0iywJo5nn0wHTyexj82nDe5WqU6W\n"
	    "GQlx/DFSG3A9dVNMc4FqFZjcWb4oGTt7SfDvAgMBAAGjcDBuMB0GA1UdDgQWBBRJ\n"
	    "x5ES3oAm799K4ugmfZG6UGN1yTAfBgNVHSMEGDAWgBRJx5ES3oAm799K4ugmfZG6\n"
	    "UGN1yTAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEG1haWwuZXhhbXBsZS5v\n"
	    "cmcwQQYJKoZIhvcNAQEKMDSgDzANBglghkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEB\n"
	    "CDANBglghkgBZQMEAgEFAKIDAgEgA4IBAQAaB+v8nY5vnEpeV4xtqYzR4FQf6D0Y\n"
	    "HLBcTOm0fUlSv5Q1s8STE/AsVi/qYG+M1Yrhtt5DaCySj6X3o2NiIPjwhKfnL7WM\n"
	    "zljS6Q4Dpz7ci5piTZCx2jOA/ldm1aMRyMBOZTCO0h82gx0R1XigvNOI8BMuDKkU\n"
	    "QJPBCFEYTTpwYKF+N2WnLoYSm2pEdSIMo7HK6li+wDZoKqI6t25l0KWKpgdoafSA\n"
	    "LNdkxNTXr5dX9/sbq63wfVV37ldczpnF4YXbsc2AICsXKxC2YdbywmGF9juPdUC1\n"
	    "Bs3PQSRBhX+BWyNw2S/xQim38pU3K9Yc1x5Bz77ftIhPRQuH0qi8UYZk\n"
	    "-----END CERTIFICATE-----\n"
	},
};

#endif
