/* SPDX-License-Identifier: MIT */
/*
 * ed25519.h - whether an Ed25519 signature fits (RFC 8032), by libcrypto
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_BYTES       32u
#define ED25519_SIGNATURE_BYTES 64u

/*
 * ed25519_ready - libcrypto is there, and loaded
 * To be asked before the walls of sandbox.h go up: behind them nothing can be loaded. Without it no
 * signature fits.
 */
bool ed25519_ready(void);

/* ed25519_fits - the signature is that key's, over these n bytes. Anything in doubt: false. */
bool ed25519_fits(const uint8_t key[ED25519_KEY_BYTES],
		  const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *bytes, size_t n);
