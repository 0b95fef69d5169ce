# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client setup keys of Office, Project and Visio. Data only; C(setup_keys) reads it.

OFFICE is Microsoft's page "GVLKs for KMS and Active Directory-based activation of Office"; DEPLOYMENT_TOOL is Microsoft's page about
Project 2016 and Visio 2016 by Click-to-Run, whose products and keys are others than those by Windows Installer; COPIES are third parties that
agree with each other, ONE_COPY is a single one: both are not verified, and used only where the user allows that.
"""

from __future__ import annotations

OFFICE = "Microsoft: GVLKs for KMS and Active Directory-based activation of Office, Project, and Visio"
DEPLOYMENT_TOOL = "Microsoft: Use the Office Deployment Tool to install volume licensed versions of Project 2016 and Visio 2016"
COPIES = "several third-party lists"
ONE_COPY = "one third-party list"

# Version, product, key, source, verified.
# fmt: off
ROWS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("Office LTSC 2024", "Professional Plus", "XJ2XN-FW8RK-P4HMP-DKDBV-GCVGB", COPIES, False),
    ("Office LTSC 2024", "Standard", "V28N4-JG22K-W66P8-VTMGK-H6HGR", COPIES, False),
    ("Office LTSC 2024", "Project Professional", "FQQ23-N4YCY-73HQ3-FM9WC-76HF4", COPIES, False),
    ("Office LTSC 2024", "Project Standard", "PD3TT-NTHQQ-VC7CY-MFXK3-G87F8", COPIES, False),
    ("Office LTSC 2024", "Visio Professional", "B7TN8-FJ8V3-7QYCP-HQPMV-YY89G", COPIES, False),
    ("Office LTSC 2024", "Visio Standard", "JMMVY-XFNQC-KK4HK-9H7R3-WQQTV", COPIES, False),
    ("Office LTSC 2024", "Access", "82FTR-NCHR7-W3944-MGRHM-JMCWD", COPIES, False),
    ("Office LTSC 2024", "Excel", "F4DYN-89BP2-WQTWJ-GR8YC-CKGJG", COPIES, False),
    ("Office LTSC 2024", "Outlook", "D2F8D-N3Q3B-J28PV-X27HD-RJWB9", COPIES, False),
    ("Office LTSC 2024", "PowerPoint", "CW94N-K6GJH-9CTXY-MG2VC-FYCWP", COPIES, False),
    ("Office LTSC 2024", "Skype for Business", "4NKHF-9HBQF-Q3B6C-7YV34-F64P3", COPIES, False),
    ("Office LTSC 2024", "Word", "MQ84N-7VYDM-FXV7C-6K7CC-VFW9J", COPIES, False),
    ("Office LTSC 2021", "Professional Plus", "FXYTK-NJJ8C-GB6DW-3DYQT-6F7TH", OFFICE, True),
    ("Office LTSC 2021", "Standard", "KDX7X-BNVR8-TXXGX-4Q7Y8-78VT3", OFFICE, True),
    ("Office LTSC 2021", "Project Professional", "FTNWT-C6WBT-8HMGF-K9PRX-QV9H8", OFFICE, True),
    ("Office LTSC 2021", "Project Standard", "J2JDC-NJCYY-9RGQ4-YXWMH-T3D4T", OFFICE, True),
    ("Office LTSC 2021", "Visio Professional", "KNH8D-FGHT4-T8RK3-CTDYJ-K2HT4", OFFICE, True),
    ("Office LTSC 2021", "Visio Standard", "MJVNY-BYWPY-CWV6J-2RKRT-4M8QG", OFFICE, True),
    ("Office LTSC 2021", "Access", "WM8YG-YNGDD-4JHDC-PG3F4-FC4T4", OFFICE, True),
    ("Office LTSC 2021", "Excel", "NWG3X-87C9K-TC7YY-BC2G7-G6RVC", OFFICE, True),
    ("Office LTSC 2021", "Outlook", "C9FM6-3N72F-HFJXB-TM3V9-T86R9", OFFICE, True),
    ("Office LTSC 2021", "PowerPoint", "TY7XF-NFRBR-KJ44C-G83KF-GX27K", OFFICE, True),
    ("Office LTSC 2021", "Publisher", "2MW9D-N4BXM-9VBPG-Q7W6M-KFBGQ", OFFICE, True),
    ("Office LTSC 2021", "Skype for Business", "HWCXN-K3WBT-WJBKY-R8BD9-XK29P", OFFICE, True),
    ("Office LTSC 2021", "Word", "TN8H9-M34D3-Y64V9-TR72V-X79KV", OFFICE, True),
    ("Office 2019", "Professional Plus", "NMMKJ-6RK4F-KMJVX-8D9MJ-6MWKP", OFFICE, True),
    ("Office 2019", "Standard", "6NWWJ-YQWMR-QKGCB-6TMB3-9D9HK", OFFICE, True),
    ("Office 2019", "Project Professional", "B4NPR-3FKK7-T2MBV-FRQ4W-PKD2B", OFFICE, True),
    ("Office 2019", "Project Standard", "C4F7P-NCP8C-6CQPT-MQHV9-JXD2M", OFFICE, True),
    ("Office 2019", "Visio Professional", "9BGNQ-K37YR-RQHF2-38RQ3-7VCBB", OFFICE, True),
    ("Office 2019", "Visio Standard", "7TQNQ-K3YQQ-3PFH7-CCPPM-X4VQ2", OFFICE, True),
    ("Office 2019", "Access", "9N9PT-27V4Y-VJ2PD-YXFMF-YTFQT", OFFICE, True),
    ("Office 2019", "Excel", "TMJWT-YYNMB-3BKTF-644FC-RVXBD", OFFICE, True),
    ("Office 2019", "Outlook", "7HD7K-N4PVK-BHBCQ-YWQRW-XW4VK", OFFICE, True),
    ("Office 2019", "PowerPoint", "RRNCX-C64HY-W2MM7-MCH9G-TJHMQ", OFFICE, True),
    ("Office 2019", "Publisher", "G2KWX-3NW6P-PY93R-JXK2T-C9Y9V", OFFICE, True),
    ("Office 2019", "Skype for Business", "NCJ33-JHBBY-HTK98-MYCV8-HMKHJ", OFFICE, True),
    ("Office 2019", "Word", "PBX3G-NWMT6-Q7XBW-PYJGG-WXD33", OFFICE, True),
    ("Office 2016", "Professional Plus", "XQNVK-8JYDB-WJ9W3-YJ8YR-WFG99", OFFICE, True),
    ("Office 2016", "Standard", "JNRGM-WHDWX-FJJG3-K47QV-DRTFM", OFFICE, True),
    ("Office 2016", "Project Professional", "YG9NW-3K39V-2T3HJ-93F3Q-G83KT", OFFICE, True),
    ("Office 2016", "Project Standard", "GNFHQ-F6YQM-KQDGJ-327XX-KQBVC", OFFICE, True),
    ("Office 2016", "Visio Professional", "PD3PC-RHNGV-FXJ29-8JK7D-RJRJK", OFFICE, True),
    ("Office 2016", "Visio Standard", "7WHWN-4T7MP-G96JF-G33KR-W8GF4", OFFICE, True),
    ("Office 2016", "Project Professional (C2R)", "WGT24-HCNMF-FQ7XH-6M8K7-DRTW9", DEPLOYMENT_TOOL, True),
    ("Office 2016", "Project Standard (C2R)", "D8NRQ-JTYM3-7J2DX-646CT-6836M", DEPLOYMENT_TOOL, True),
    ("Office 2016", "Visio Professional (C2R)", "69WXN-MBYV6-22PQG-3WGHK-RM6XC", DEPLOYMENT_TOOL, True),
    ("Office 2016", "Visio Standard (C2R)", "NY48V-PPYYH-3F4PX-XJRKJ-W4423", DEPLOYMENT_TOOL, True),
    ("Office 2016", "Access", "GNH9Y-D2J4T-FJHGG-QRVH7-QPFDW", OFFICE, True),
    ("Office 2016", "Excel", "9C2PK-NWTVB-JMPW8-BFT28-7FTBF", OFFICE, True),
    ("Office 2016", "OneNote", "DR92N-9HTF2-97XKM-XW2WJ-XW3J6", OFFICE, True),
    ("Office 2016", "Outlook", "R69KK-NTPKF-7M3Q4-QYBHW-6MT9B", OFFICE, True),
    ("Office 2016", "PowerPoint", "J7MQP-HNJ4Y-WJ7YM-PFYGF-BY6C6", OFFICE, True),
    ("Office 2016", "Publisher", "F47MM-N3XJP-TQXJ9-BP99D-8K837", OFFICE, True),
    ("Office 2016", "Skype for Business", "869NQ-FJ69K-466HW-QYCP2-DDBV6", OFFICE, True),
    ("Office 2016", "Word", "WXY84-JN2Q9-RBCCQ-3Q3J3-3PFJ6", OFFICE, True),
    ("Office 2016", "Mondo", "HFTND-W9MK4-8B7MJ-B6C4G-XQBR2", COPIES, False),
    ("Office 2013", "Professional Plus", "YC7DK-G2NP3-2QQC3-J6H88-GVGXT", COPIES, False),
    ("Office 2013", "Standard", "KBKQT-2NMXY-JJWGP-M62JB-92CD4", COPIES, False),
    ("Office 2013", "Project Professional", "FN8TT-7WMH6-2D4X9-M337T-2342K", COPIES, False),
    ("Office 2013", "Project Standard", "6NTH3-CW976-3G3Y2-JK3TX-8QHTT", COPIES, False),
    ("Office 2013", "Visio Professional", "C2FG9-N6J68-H8BTJ-BW3QX-RM3B3", COPIES, False),
    ("Office 2013", "Visio Standard", "J484Y-4NKBF-W2HMG-DBMJC-PGWR7", COPIES, False),
    ("Office 2010", "Professional Plus", "VYBBJ-TRJPB-QFQRF-QFT4D-H3GVB", COPIES, False),
    ("Office 2010", "Standard", "V7QKV-4XVVR-XYV4D-F7DFM-8R6BM", COPIES, False),
    ("Office 2010", "Project Professional", "YGX6F-PGV49-PGW3J-9BTGG-VHKC6", COPIES, False),
    ("Office 2010", "Project Standard", "4HP3K-88W3F-W2K3D-6677X-F9PGB", COPIES, False),
    ("Office 2010", "Visio Premium", "D9DWC-HPYVV-JGF4P-BTWQB-WX8BJ", COPIES, False),
    ("Office 2010", "Visio Professional", "7MCW8-VRQVK-G677T-PDJCM-Q8TCP", ONE_COPY, False),
    ("Office 2010", "Visio Standard", "767HD-QGMWX-8QTDB-9G3R2-KHFGJ", ONE_COPY, False),
    ("Office 2010", "Home and Business", "D6QFG-VBYP2-XQHM7-J97RH-VVRCK", ONE_COPY, False),
    ("Office 2010", "Access", "V7Y44-9T38C-R2VJK-666HK-T7DDX", ONE_COPY, False),
    ("Office 2010", "Excel", "H62QG-HXVKF-PP4HP-66KMR-CW9BM", ONE_COPY, False),
)
# fmt: on

# KMS client products by activation ID, which tells them for certain; a name is for display (third-party lists agree on these).
ACTIVATION_IDS: dict[str, tuple[str, str]] = {
    "829b8110-0e6f-4349-bca4-42803577788d": ("2016", "Project Professional (C2R)"),
    "cbbaca45-556a-4416-ad03-bda598eaa7c8": ("2016", "Project Standard (C2R)"),
    "b234abe3-0857-4f9c-b05a-4dc314f85557": ("2016", "Visio Professional (C2R)"),
    "361fe620-64f4-41b5-ba77-84f8e079b1f7": ("2016", "Visio Standard (C2R)"),
}
