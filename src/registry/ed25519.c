/* SPDX-License-Identifier: MIT */
/*
 * ed25519.c - whether an Ed25519 signature fits; see ed25519.h
 *
 * The one file of the room that knows libcrypto, which is loaded when a signature is to be proven
 * and not before: it would cost every smreg several times what smreg itself does. No configuration
 * is read. Must never sign, nor see a secret key.
 */
#include "registry/ed25519.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/bytes.h"

static struct {
	bool tried, there;
	__typeof__(OPENSSL_init_crypto) *init;
	__typeof__(EVP_PKEY_new_raw_public_key) *key_new;
	__typeof__(EVP_PKEY_free) *key_free;
	__typeof__(EVP_MD_CTX_new) *context_new;
	__typeof__(EVP_MD_CTX_free) *context_free;
	__typeof__(EVP_DigestVerifyInit) *verify_init;
	__typeof__(EVP_DigestVerify) *verify;
} crypto;

bool ed25519_ready(void)
{
	static const struct {
		const char *name;
		void *to;
	} wanted[] = {
		{"OPENSSL_init_crypto", &crypto.init},
		{"EVP_PKEY_new_raw_public_key", &crypto.key_new},
		{"EVP_PKEY_free", &crypto.key_free},
		{"EVP_MD_CTX_new", &crypto.context_new},
		{"EVP_MD_CTX_free", &crypto.context_free},
		{"EVP_DigestVerifyInit", &crypto.verify_init},
		{"EVP_DigestVerify", &crypto.verify},
	};
	void *library;

	if (crypto.tried)
		return crypto.there;
	crypto.tried = true;
	library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(wanted); i++) {
		void *at = dlsym(library, wanted[i].name);

		if (!at)
			return false;
		*(void **)wanted[i].to = at; /* as POSIX has it for functions */
	}
	crypto.there = library && crypto.init(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
	return crypto.there;
}

bool ed25519_fits(const uint8_t key[ED25519_KEY_BYTES],
		  const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *bytes, size_t n)
{
	EVP_PKEY *public = NULL;
	EVP_MD_CTX *context = NULL;
	bool fits = false;

	if (!ed25519_ready())
		return false;
	public = crypto.key_new(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_BYTES);
	context = crypto.context_new();
	if (public && context && crypto.verify_init(context, NULL, NULL, NULL, public) == 1)
		fits = crypto.verify(context, signature, ED25519_SIGNATURE_BYTES, bytes, n) == 1;
	crypto.context_free(context);
	crypto.key_free(public);
	return fits;
}
